"""PyPI requirements through uv: one `uv pip compile` a platform, and a second, warm one for who needs whom."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.engines.pylock import Entry, parse
from envtag.engines.pypi_answer import answer as pypi_answer
from envtag.engines.pypi_answer import dependencies, look_at_extras, offers
from envtag.engines.uv_command import Compile, prepare
from envtag.engines.uv_errors import failed
from envtag.engines.uv_python import FoundPython, find_python
from envtag.errors import UnsolvableError

if TYPE_CHECKING:
    from collections.abc import Collection

    from envtag.engines import PypiProblem
    from envtag.package import Package
    from envtag.urls import Mirrors
    from envtag.util.process import Completed

__all__ = ["FoundPython", "find_python", "solve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one compile came to: entries, or none and what uv said."""

    compile: Compile
    done: Completed
    entries: tuple[Entry, ...] = ()

    @property
    def failed(self) -> bool:
        return self.done.returncode != 0


def missing() -> str | None:
    """None: it comes with envtag."""
    return None


def cannot(platform: str) -> str | None:  # noqa: ARG001 - the Protocol's
    """None: it solves for every platform."""
    return None


def solve(problem: PypiProblem, *, mirrors: Mirrors, cache: Path) -> tuple[Package, ...]:
    """Solve one problem; see `engines.PypiEngine`."""
    if problem.preferred:
        wished = replace(problem, kept=(*problem.kept, *problem.preferred), preferred=())
        try:
            return solve(wished, mirrors=mirrors, cache=cache)
        except UnsolvableError:  # not all of what is preferred goes with the rest: uv keeps what it can of it
            pass
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envtag-uv-") as scratch:
        commits = {package.name for package in problem.pinned if package.is_commit}
        answer = _ask(problem, Path(scratch, "first"), mirrors, cache, commits)
        gone = _not_offered(problem, answer)
        if gone:
            answer = _ask(problem, Path(scratch, "second"), mirrors, cache, gone)
        if answer.failed:
            raise failed(answer.done, problem, mirrors, answer.compile.stubs, scratch)
        look_at_extras(problem, answer.done.stderr.decode("utf-8", "replace"))
        needs = _dependencies(answer)
    return pypi_answer(problem, answer.entries, needs, mirrors)


def _ask(problem: PypiProblem, workspace: Path, mirrors: Mirrors, cache: Path, by_url: Collection[str]) -> _Answer:
    workspace.mkdir()
    prepared = prepare(problem, workspace, mirrors=mirrors, cache=cache, by_url=by_url)
    done = prepared.run("pylock.toml")
    if done.returncode != 0:
        return _Answer(compile=prepared, done=done)
    entries = parse(done.stdout.decode("utf-8"), f"uv's answer for {problem.platform}")
    return _Answer(compile=prepared, done=done, entries=entries)


def _not_offered(problem: PypiProblem, answer: _Answer) -> set[str]:
    """Pinned packages whose locked file no index offers (any more): they are asked for by their locked URL."""
    if answer.failed:
        said = answer.done.stderr.decode("utf-8", "replace")
        missing = any(
            f"there is no version of {package.name}=={package.version}" in said
            or f"{package.name} was not found in the package registry" in said
            for package in problem.pinned
        )
        return {package.name for package in problem.pinned} if missing else set()
    offered = {entry.name: entry for entry in answer.entries}
    gone = {item.name for item in problem.pinned if item.name not in offered or not offers(offered[item.name], item)}
    return gone | {item.name for item in problem.pinned if item.is_commit} if gone else gone


def _dependencies(answer: _Answer) -> dict[str, set[str]]:
    """Name to the names of what it needs, from uv's annotations: the same call again, from its cache."""
    options = ("--annotation-style", "split")
    done = answer.compile.run("requirements.txt", *options, "--offline")
    if done.returncode != 0:
        done = answer.compile.run("requirements.txt", *options)
    if done.returncode != 0:
        raise done.failure("uv could not say which PyPI packages need which")
    return dependencies(done.stdout.decode("utf-8"))
