"""A registry that GitHub serves, and people who work with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.publishing import lock
from support.pulls import Pulls, pulls_server
from support.s3 import S3Server
from support.story import Story
from support.workflow import SLUG, Event, Forge, JobRun, log, result

#: Starts what it is asked to, and notes it.
_GH = """#!/bin/sh
echo "$@" >> "$GH_LOG"
case "$1 $2" in
  "pr view") printf '%s\\n' "$GH_BRANCH" ;;
esac
"""


@dataclass(kw_only=True)
class Hub:
    """GitHub with one repository, and a person's clone of it.

    Attributes:
        story: The clone, its remote and its person.
        forge: What runs workflows.
        pulls: What answers for pull requests.
        started: Where `gh` notes what it was asked.
    """

    story: Story
    forge: Forge
    pulls: Pulls
    started: Path
    heads: dict[int, str] = field(default_factory=dict)

    def branch(self, name: str) -> None:
        """Begin a branch at what is merged."""
        self.story.repo.git("checkout", "--quiet", "-B", name, "origin/main")

    def propose(self, number: int, branch: str, *, fork: bool = False, merged: str = "") -> Event:
        """Push the work tree as a pull request; what its workflow starts with."""
        repo, bare = self.story.repo, self.story.bare
        head = repo.commit(message=branch)
        target = f"refs/pull/{number}/head"
        repo.git("push", "--quiet", "--force", "origin", f"HEAD:{target}")
        if not fork:
            repo.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        base = bare.git("rev-parse", "main")
        merged = merged or repo.git(
            "commit-tree", f"{head}^{{tree}}", "-p", base, "-p", head, "-m", f"merge {branch}"
        )  # fmt: skip
        repo.git("push", "--quiet", "--force", "origin", f"{merged}:refs/pull/{number}/merge")
        repository = "stranger/fork" if fork else SLUG
        pull = self.pulls.open(number, branch, head, repository=repository)
        self.heads[number] = head
        payload = {"action": "synchronize", "pull_request": pull}
        return Event(name="pull_request", sha=merged, ref=f"refs/pull/{number}/merge", payload=payload)

    def review(self, event: Event) -> dict[str, list[JobRun]]:
        return self.forge.run("pull-request.yml", event)

    def comment(self, event: Event) -> dict[str, list[JobRun]]:
        """Run what runs after the workflow of a pull request."""
        pull = event.payload["pull_request"]
        head = pull["head"]
        started = {
            "id": 7, "event": "pull_request", "head_sha": head["sha"], "head_branch": head["ref"],
            "head_repository": head["repo"],
        }  # fmt: skip
        return self.forge.run("comment.yml", self._on_main("workflow_run", {"workflow_run": started}))

    def merge(self, branch: str) -> dict[str, list[JobRun]]:
        """Merge a branch, and publish what that brings."""
        repo = self.story.repo
        repo.git("checkout", "--quiet", "-B", "main", "origin/main")
        repo.git("merge", "--quiet", "--no-ff", "--message", f"merge {branch}", branch)
        repo.git("push", "--quiet", "origin", "main")
        return self.publish()

    def publish(self) -> dict[str, list[JobRun]]:
        """Run what a push to the default branch starts; a success is remembered, as GitHub does."""
        event = self._on_main("push", {})
        jobs = self.forge.run("publish.yml", event)
        if all(result(found) != "failure" for found in jobs.values()):
            self.pulls.runs.setdefault("publish.yml", []).insert(0, event.sha)
        return jobs

    def update(self) -> dict[str, list[JobRun]]:
        """Run what is started once a week."""
        return self.forge.run("update.yml", self._on_main("schedule", {}))

    def _on_main(self, name: str, payload: dict[str, Any]) -> Event:
        sha = self.story.bare.git("rev-parse", "main")
        return Event(name=name, sha=sha, ref="refs/heads/main", payload=payload)

    def lock(self, tag: str, *packages: str, name: str = "mlp/tz") -> None:
        """Resolve two small packages and others to `NAME:TAG`, in the work tree."""
        lock(self.story, tag, *packages, name=name)


def served(story: Story) -> None:
    """State: a registry that GitHub serves, without environments."""
    story.run("init", "--github", "--owner", "@acme/ml", str(story.path))
    story.commit("Let GitHub serve the registry")


@pytest.fixture
def pulls() -> Iterator[Pulls]:
    """What answers for pull requests, comments and runs."""
    with pulls_server() as running:
        yield running


@pytest.fixture
def hub(make_story: Callable[..., Story], pulls: Pulls, s3: S3Server, tmp_path: Path) -> Hub:
    """A registry on GitHub whose store is a bucket; a hook holds its remote to what GitHub's rulesets say."""
    story = make_story(served)
    story.run("hook", "install", "--repo", str(story.bare.path))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "gh").write_text(_GH)
    (programs / "gh").chmod(0o755)
    started = tmp_path / "started"
    started.touch()
    store = f"s3://{s3.bucket()}/envs"
    cloud = s3.variables()
    environ = {
        **{name: value for name, value in story.environ.items() if name not in cloud},
        "GITHUB_API_URL": pulls.url,
        "GH_LOG": str(started),
    }
    variables = {
        "ENVTAG_STORE": store,
        "ENVTAG_AWS_ROLE": "arn:aws:iam::1:role/envtag",
        "ENVTAG_AWS_REGION": "x",
        "ENVTAG_ATTEST": "true",
    }
    forge = Forge(
        bare=story.bare, place=tmp_path / "runs", environ=environ, cloud=cloud, variables=variables, programs=programs
    )
    return Hub(story=story, forge=forge, pulls=pulls, started=started)


@pytest.fixture
def well() -> Callable[..., dict[str, list[JobRun]]]:
    """Check what became of the jobs of a run: `well(jobs, review="success", …)`."""

    def check(jobs: dict[str, list[JobRun]], **wanted: str) -> dict[str, list[JobRun]]:
        assert {name: result(found) for name, found in jobs.items()} == wanted, log(jobs)
        return jobs

    return check
