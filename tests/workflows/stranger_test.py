"""What a pull request of a stranger tries, and what comes of it."""

from __future__ import annotations

import json

import pytest
import yaml

from support.index import Index
from support.s3 import SECRET_KEY
from support.source import ROOT
from support.story import HERE, MINOR
from support.wheels import make_sdist, make_wheel
from support.workflow import TOKEN, Event, log

WORKFLOWS = ("pull-request.yml", "comment.yml", "publish.yml")
#: Keeps what it sees, and tries to change the branch that it is built from.
BACKEND = """
import os, subprocess
with open({stolen!r}, "a") as stream:
    stream.write(repr(dict(os.environ)))
    for command in (["git", "config", "--list"], ["git", "push", "origin", "HEAD:refs/heads/main"]):
        done = subprocess.run(command, cwd={work!r}, capture_output=True, check=False)
        stream.write(repr(done))
raise SystemExit("that is all")
"""

HOSTILE = "<img src=x onerror=alert(1)> @acme/ml [x](https://e.vil) `` ::error::x ##[error]y | </td> \u202e"


def test_a_forks_pull_request_can_write_nothing_and_is_given_no_token(hub, well):
    hub.branch("evil")
    _add_step(
        hub,
        "pull-request.yml",
        "review",
        "env | sort; git push origin HEAD:refs/heads/main && echo pushed; git push origin HEAD:refs/tags/mlp/tz@v9",
    )
    hub.lock("v1")
    event = hub.propose(1, "evil", fork=True)
    before = hub.story.bare.git("rev-parse", "main")
    jobs = well(hub.review(event), review="failure", lock="skipped", push="skipped", envtag="failure")
    assert "pushed" not in jobs["review"][0].log
    assert TOKEN not in log(jobs)
    assert hub.story.bare.git("rev-parse", "main") == before
    assert hub.story.bare.git("tag") == ""


def test_a_fork_that_asks_for_locks_has_nothing_pushed(hub):
    hub.branch("evil")
    hub.lock("v1")
    spec = hub.story.path / "envs" / "mlp" / "tz" / "environment.yml"
    spec.write_text(spec.read_text().replace("tzish", "tzish, activating"))
    event = hub.propose(1, "evil", fork=True)
    head = {**event.payload["pull_request"]["head"]}
    pull = {**event.payload["pull_request"], "head": head}
    payload = {"action": "labeled", "label": {"name": "lock"}, "pull_request": pull}
    jobs = hub.review(Event(name=event.name, sha=event.sha, ref=event.ref, payload=payload))
    assert jobs["lock"][0].result == "success", log(jobs)
    assert jobs["push"][0].result == "skipped"
    assert "evil" not in hub.story.bare.git("branch")


@pytest.fixture
def index(tmp_path):
    """An index with `alpha`."""
    make_wheel(tmp_path / "index", "alpha", "1.0")
    running = Index(tmp_path / "index")
    yield running
    running.stop()


def test_code_of_a_package_that_is_built_finds_nothing_worth_having(hub, index, tmp_path):
    stolen = tmp_path / "stolen"
    runs = tmp_path / "runs" / "run-0" / "lock-0" / "work"
    backend = BACKEND.format(stolen=str(stolen), work=str(runs))
    metadata = "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"  # before PEP 643: only a build tells
    make_sdist(index.directory, "evil", "1.0", files={"backend.py": backend, "PKG-INFO": metadata})
    hub.branch("evil")
    spec = hub.story.spec("requirements.txt", "alpha\n")
    options = ("--index-url", index.url, "--python", MINOR, "--platform", HERE, "--alias", "mlp/evil")
    hub.story.call("resolve", "-r", str(spec), *options)
    requirements = hub.story.path / "envs" / "mlp" / "evil" / "requirements.txt"
    requirements.write_text("alpha\nevil\n")
    event = hub.propose(1, "evil", fork=True)
    payload = {**event.payload, "action": "labeled", "label": {"name": "lock"}}
    before = hub.story.bare.git("for-each-ref")
    jobs = hub.review(Event(name=event.name, sha=event.sha, ref=event.ref, payload=payload))
    assert jobs["lock"][0].result == "failure"
    seen = stolen.read_text()
    assert "PATH" in seen
    assert "returncode=128" in seen
    for secret in (TOKEN, SECRET_KEY):
        assert secret not in seen
    assert hub.story.bare.git("for-each-ref") == before


@pytest.mark.parametrize("findings", [None, b"not json", b"[" * 100_000, b"{}", b" " * 1_000_001])
def test_what_its_run_hands_over_is_not_believed(hub, well, findings):
    hub.branch("evil")
    hub.lock("v1")
    event = hub.propose(1, "evil", fork=True)
    directory = hub.forge.artifact("envtag-review")
    if findings is not None:
        directory.mkdir(parents=True)
        (directory / "findings.json").write_bytes(findings)
    well(hub.comment(event), comment="success", lock="skipped")
    (said,) = hub.pulls.said(1)
    assert "`mlp/tz`" in said
    assert "did not hand over what it found" in said


def test_nothing_that_a_stranger_writes_is_markup_or_a_command(hub, well):
    hub.branch("evil")
    hub.lock("v1")
    name = "envs/mlp/tz/environment.yml"
    text = (hub.story.path / name).read_text()
    hub.story.repo.write({name: f"# {HOSTILE}\n{text}", f"envs/mlp/tz/{'a' * 20}.md": HOSTILE})
    event = hub.propose(1, "evil", fork=True)
    finding = {
        "rule": "lock-fresh", "severity": "error", "message": HOSTILE, "hint": HOSTILE, "path": HOSTILE, "line": 3,
        "environment": HOSTILE,
    }  # fmt: skip
    directory = hub.forge.artifact("envtag-review")
    directory.mkdir(parents=True)
    document = {"version": 1, "ok": True, "findings": [finding] * 500}
    (directory / "findings.json").write_text(json.dumps(document))
    jobs = well(hub.comment(event), comment="success", lock="skipped")
    (said,) = hub.pulls.said(1)
    outside = "".join(said.split("`")[::2])
    for word in ("<img", "@acme", "](http", "</td>", "\u202e"):
        assert word not in outside
    assert not any(line.lstrip().startswith("::") for line in jobs["comment"][0].log.splitlines())
    assert len(said) < 65_536


@pytest.mark.parametrize("name", ["<img src=x>", "::error::x", "@acme/ml", "[x](https://e.vil)", "a\\nb"])
def test_a_hostile_package_name_in_a_lock_is_neither_markup_nor_a_command(hub, well, name):
    hub.branch("evil")
    hub.lock("v1")
    (lock,) = (hub.story.path / "envs" / "mlp" / "tz").glob("*-lock.yml")
    text = lock.read_text()
    lock.write_text(text.replace("  name: prefixed\n", f'  name: "{name}"\n'))
    assert lock.read_text() != text
    event = hub.propose(1, "evil", fork=True)
    jobs = well(hub.comment(event), comment="success", lock="skipped")
    (said,) = hub.pulls.said(1)
    assert name not in "".join(said.split("`")[::2])
    jobs.update(hub.review(event))
    shown = [line for job in jobs.values() for line in job[0].log.splitlines() if line.lstrip().startswith("::")]
    assert all(line.startswith("::error file=") for line in shown)
    assert name not in "".join(jobs["review"][0].summary.split("`")[::2])


def test_a_run_of_an_older_commit_leaves_the_comment_alone(hub, well):
    hub.branch("add")
    hub.lock("v1")
    older = hub.propose(1, "add")
    hub.lock("v2", "activating")
    newer = hub.propose(1, "add")
    well(hub.comment(older), comment="success", lock="skipped")
    assert hub.pulls.said(1) == []
    well(hub.comment(newer), comment="success", lock="skipped")
    assert len(hub.pulls.said(1)) == 1


def test_a_malformed_lock_is_said_to_be_malformed(hub, well):
    hub.branch("evil")
    hub.lock("v1")
    bomb = "a: &a [x,x]\nb: &b [*a,*a]\n" * 3 + "<img>"
    (lock,) = (hub.story.path / "envs" / "mlp" / "tz").glob("*-lock.yml")
    lock.write_text(bomb)
    event = hub.propose(1, "evil", fork=True)
    well(hub.comment(event), comment="success", lock="skipped")
    (said,) = hub.pulls.said(1)
    assert "This change cannot be shown" in said
    assert "<img" not in said


def test_the_lock_comment_starts_the_workflow_on_the_branch_for_those_who_may(hub):
    for login, association, started in (
        ("author", "CONTRIBUTOR", True),
        ("owner", "OWNER", True),
        ("stranger", "NONE", False),
    ):
        payload = {
            "issue": {"number": 1, "user": {"login": "author"}, "pull_request": {"url": "x"}},
            "comment": {"id": 1, "body": "/lock", "user": {"login": login}, "author_association": association},
        }
        jobs = _told(hub, payload, branch="edit")
        assert (jobs["lock"][0].result == "success") is started
    assert "workflow run pull-request.yml --repo acme/environments --ref edit -f lock=true" in hub.started.read_text()


def test_the_lock_comment_on_a_forks_pull_request_is_refused(hub):
    payload = {
        "issue": {"number": 1, "user": {"login": "stranger"}, "pull_request": {"url": "x"}},
        "comment": {"id": 1, "body": "/lock", "user": {"login": "stranger"}, "author_association": "NONE"},
    }
    jobs = _told(hub, payload, branch="")
    assert jobs["lock"][0].result == "failure"
    assert "workflow run" not in hub.started.read_text()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_that_runs_what_a_pull_request_brings_has_a_token_that_reads(name):
    workflow = load(name)
    assert workflow["permissions"] == {}
    for key, job in workflow["jobs"].items():
        text = yaml.safe_dump(job)
        assert "secrets." not in text
        assert job["timeout-minutes"] <= 180
        if name == "pull-request.yml" and key in {"review", "lock"}:
            assert job["permissions"] == {"contents": "read"}
            assert "github.token" not in text
            checkout = job["steps"][0]
            assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", [*WORKFLOWS, "tool.yml"])
def test_every_action_is_pinned_to_a_commit(name):
    text = (ROOT / ".github" / "workflows" / name).read_text()
    pinned = [line for line in text.splitlines() if "uses: " in line and "uses: ./" not in line]
    assert pinned
    for line in pinned:
        sha, _, version = line.partition("@")[2].partition(" # ")
        assert len(sha) == 40
        assert version.startswith("v")


def load(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())


def _told(hub, payload, *, branch):
    sha = hub.story.bare.git("rev-parse", "main")
    environ = {**hub.forge.environ, "GH_BRANCH": branch}
    forge = type(hub.forge)(
        bare=hub.forge.bare, place=hub.forge.place, environ=environ, variables=hub.forge.variables,
        programs=hub.forge.programs,
    )  # fmt: skip
    return forge.run("comment.yml", Event(name="issue_comment", sha=sha, ref="refs/heads/main", payload=payload))


def _add_step(hub, file, job, script):
    """Let a pull request change what its own workflow does."""
    path = hub.story.path / ".github" / "workflows" / file
    workflow = yaml.safe_load(path.read_text())
    workflow["jobs"][job]["steps"].append({"run": script})
    path.write_text(yaml.safe_dump(workflow))
