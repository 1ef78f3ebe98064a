"""A small runner of GitHub workflows: reads the YAML, and runs each `run:` step in order, as GitHub would.

What `uses:` names is replaced: a checkout is a clone of the bare remote, an artifact a directory, setting up nothing
(the tests' own envtag is there), and logging in to a cloud is only noted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support.expressions import as_text, evaluate, fill
from support.repository import GitRepo

SLUG = "acme/environments"
TOKEN = "ghs-token-of-the-job"  # the tests' own
_STATUS = ("always", "cancelled", "failure", "success")
_SECONDS = 120


@dataclass(slots=True)
class JobRun:
    """What became of a job.

    Attributes:
        result: `success`, `failure` or `skipped`.
        outputs: What it gives later jobs.
        log: What its steps printed.
        summary: What they added to the page of the run.
        label: The machine that it asked for.
        logins: Clouds that it logged in to: action to inputs.
    """

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    label: str = ""
    logins: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What starts a run.

    Attributes:
        name: `push`, `pull_request`, …
        sha: The commit that is checked out.
        ref: `refs/heads/main`, `refs/pull/1/merge`.
        payload: What GitHub tells of it.
    """

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Forge:
    """A GitHub of the tests' own.

    Attributes:
        bare: The remote.
        place: Where runs take place.
        environ: Variables of every step.
        cloud: What a step has beyond them once its job has logged in to AWS.
        variables: The repository's variables (`vars`).
        programs: A directory of programs that stand before all others, such as a `gh`.
    """

    bare: GitRepo
    place: Path
    environ: Mapping[str, str]
    cloud: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    programs: Path | None = None

    def run(self, file: str, event: Event) -> dict[str, list[JobRun]]:
        """Run a workflow as it is at the event's commit; job to its runs, one for each line of its matrix."""
        text = self.bare.git("show", f"{event.sha}:.github/workflows/{file}")
        workflow = yaml.safe_load(text)
        run = _Run(forge=self, file=file, workflow=workflow, event=event, directory=self._fresh())
        return run.all()

    def artifact(self, name: str) -> Path:
        """The newest artifact of a name."""
        return self.place / "artifacts" / name

    def _fresh(self) -> Path:
        number = len(list(self.place.glob("run-*")))
        directory = self.place / f"run-{number}"
        directory.mkdir(parents=True)
        return directory


def result(jobs: list[JobRun]) -> str:
    """What became of a job with all lines of its matrix."""
    found = {job.result for job in jobs}
    return "failure" if "failure" in found else "success" if "success" in found else "skipped"


def log(jobs: Mapping[str, list[JobRun]]) -> str:
    """All that a run printed, for the message of a test that fails."""
    return "\n".join(f"== {name}: {job.result}\n{job.log}" for name, found in jobs.items() for job in found)


@dataclass(kw_only=True)
class _Run:
    forge: Forge
    file: str
    workflow: Mapping[Any, Any]
    event: Event
    directory: Path
    done: dict[str, list[JobRun]] = field(default_factory=dict)

    def all(self) -> dict[str, list[JobRun]]:
        waiting = dict(self.workflow["jobs"])
        while waiting:
            name = next(name for name, job in waiting.items() if not set(_needs(job)) & set(waiting))
            self.done[name] = self._job(name, waiting.pop(name))
        return self.done

    def _job(self, name: str, job: Mapping[str, Any]) -> list[JobRun]:
        contexts = self._contexts(job)
        well = all(result(self.done[need]) == "success" for need in _needs(job))
        if not _wanted(job.get("if"), contexts, well=well):
            return [JobRun()]
        lines = fill_all(job.get("strategy", {}).get("matrix", {}).get("include", [{}]), contexts)
        return [self._one(f"{name}-{number}", job, {**contexts, "matrix": line}) for number, line in enumerate(lines)]

    def _one(self, name: str, job: Mapping[str, Any], contexts: dict[str, Any]) -> JobRun:
        place = self.directory / name
        (place / "temp").mkdir(parents=True)
        (place / "work").mkdir()
        machine = _Machine(run=self, job=job, contexts=contexts, place=place, well=True)
        machine.told.label = as_text(fill(job["runs-on"], contexts))
        for number, step in enumerate(job["steps"]):
            machine.step(number, step)
        machine.told.result = "success" if machine.well else "failure"
        machine.told.outputs = {
            key: as_text(fill(text, machine.contexts)) for key, text in job.get("outputs", {}).items()
        }
        return machine.told

    def _contexts(self, job: Mapping[str, Any]) -> dict[str, Any]:
        needs = {
            need: {"result": result(self.done[need]), "outputs": self.done[need][-1].outputs} for need in _needs(job)
        }
        event = {"repository": {"default_branch": "main"}, **self.event.payload}
        github = {
            "event": event, "event_name": self.event.name, "sha": self.event.sha, "ref": self.event.ref,
            "ref_name": self.event.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"), "repository": SLUG,
            "token": TOKEN, "head_ref": event.get("pull_request", {}).get("head", {}).get("ref", ""),
        }  # fmt: skip
        return {
            "github": github, "needs": needs, "vars": dict(self.forge.variables), "inputs": event.get("inputs", {}),
            "matrix": {}, "steps": {}, "runner": {"temp": "", "os": "Linux"},
        }  # fmt: skip


@dataclass(kw_only=True)
class _Machine:
    """One machine that runs the steps of one job."""

    run: _Run
    job: Mapping[str, Any]
    contexts: dict[str, Any]
    place: Path
    well: bool
    told: JobRun = field(default_factory=JobRun)

    def step(self, number: int, step: Mapping[str, Any]) -> None:
        self.contexts["runner"] = {"temp": str(self.place / "temp"), "os": "Linux"}
        self.contexts["steps"] = dict(self.contexts["steps"])
        if not _wanted(step.get("if"), self.contexts, well=self.well):
            return
        fine, outputs = self._uses(step) if "uses" in step else (self._runs(number, step))
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}
        self.well = self.well and (fine or bool(step.get("continue-on-error")))

    def _uses(self, step: Mapping[str, Any]) -> tuple[bool, dict[str, str]]:
        action = step["uses"].partition("@")[0]
        inputs = {key: as_text(value) for key, value in fill_all(step.get("with", {}), self.contexts).items()}
        if action == "actions/checkout":
            self._checkout(inputs)
        elif action == "actions/upload-artifact":
            target = self.run.forge.artifact(inputs["name"])
            shutil.rmtree(target, ignore_errors=True)
            source = Path(inputs["path"])
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.is_file():
                target.mkdir(parents=True)
                shutil.copy(source, target)
        elif action == "actions/download-artifact":
            source = self.run.forge.artifact(inputs["name"])
            if not source.is_dir():
                return False, {}
            shutil.copytree(source, inputs["path"])
        elif action.startswith("./"):
            assert (self.place / "work" / action / "action.yml").is_file(), f"{action} is not checked out"
        else:
            self.told.logins[action] = inputs
        return True, {}

    def _checkout(self, inputs: Mapping[str, str]) -> None:
        work, event = self.place / "work", self.run.event
        bare = self.run.forge.bare
        for command in (
            ["init", "--quiet", "--initial-branch=main"],
            ["remote", "add", "origin", bare.url],
            ["fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"],
            ["fetch", "--quiet", "origin", inputs.get("ref") or event.sha],
            ["checkout", "--quiet", "--detach", "FETCH_HEAD"],
        ):
            GitRepo(work).git(*command)
        may_write = self.job.get("permissions", {}).get("contents") == "write"
        if inputs.get("persist-credentials") != "true" or not may_write:
            GitRepo(work).git("remote", "set-url", "--push", "origin", "file:///nobody/may/write")

    def _runs(self, number: int, step: Mapping[str, Any]) -> tuple[bool, dict[str, str]]:
        files = {name: self.place / f"{name}-{number}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        event = self.place / "event.json"
        event.write_text(json.dumps(self.contexts["github"]["event"]))
        for path in files.values():
            path.touch()
        assert "${{" not in step["run"], "a stranger's text could become part of the script"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.place / "work", env=self._environ(step, files, event), capture_output=True, check=False,
            timeout=_SECONDS,
        )  # fmt: skip
        self.told.log += done.stdout.decode() + done.stderr.decode()
        self.told.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return done.returncode == 0, outputs

    def _environ(self, step: Mapping[str, Any], files: Mapping[str, Path], event: Path) -> dict[str, str]:
        forge, github = self.run.forge, self.contexts["github"]
        own = [str(forge.programs)] if forge.programs is not None else []
        environ = {
            **forge.environ,
            "PATH": os.pathsep.join([*own, str(Path(sys.executable).parent), forge.environ["PATH"]]),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": SLUG,
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF_NAME": github["ref_name"],
            "GITHUB_WORKFLOW_REF": f"{SLUG}/.github/workflows/{self.run.file}@{github['ref']}",
            "RUNNER_TEMP": str(self.place / "temp"),
        }
        environ.update({name: str(path) for name, path in files.items()})
        if "aws-actions/configure-aws-credentials" in self.told.logins:
            environ.update(forge.cloud)
        for level in (self.run.workflow, self.job, step):
            stated = fill_all(level.get("env", {}), self.contexts)
            environ.update({name: as_text(value) for name, value in stated.items()})
        return environ


def fill_all(value: Any, contexts: Mapping[str, Any]) -> Any:
    """A piece of YAML with every `${{ }}` in it replaced."""
    if isinstance(value, str):
        return fill(value, contexts)
    if isinstance(value, dict):
        return {key: fill_all(item, contexts) for key, item in value.items()}
    return [fill_all(item, contexts) for item in value] if isinstance(value, list) else value


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def _wanted(condition: Any, contexts: Mapping[str, Any], *, well: bool) -> bool:
    """Whether a job or step runs; without a word on how things went, only if all went well."""
    text = str(True if condition is None else condition).removeprefix("${{").removesuffix("}}")
    functions = {
        "always": lambda: True, "cancelled": lambda: False, "success": lambda: well, "failure": lambda: not well,
    }  # fmt: skip
    value = bool(evaluate(text.replace("True", "true"), contexts, functions))
    return value and (well or any(f"{name}()" in text for name in _STATUS))
