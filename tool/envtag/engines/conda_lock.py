"""conda requirements through conda-lock's own program: one call a platform, with the conda that the team trusts."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.engines.conda_program import Program, choose
from envtag.engines.conda_protocol import CUTOFF_VARIABLE, EXEMPT_VARIABLE, PINS_VARIABLE, REPODATA_VARIABLE, said_of
from envtag.engines.explain import trim
from envtag.engines.kept import settled
from envtag.engines.rattler import unsolvable
from envtag.engines.rattler_lookup import looked_up
from envtag.engines.rattler_records import Question, question
from envtag.errors import FatalError, UnsolvableError
from envtag.platforms import base_platform
from envtag.request import CondaRequirement
from envtag.urls import Mirrors, channel_url
from envtag.util.process import Completed, run
from envtag.util.yaml_read import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envtag.engines import CondaProblem
    from envtag.package import Package

_WORKERS = 4
#: What conda and its kin call a request without a solution.
_UNSOLVABLE = frozenset({
    "LibMambaUnsatisfiableError", "PackagesNotFoundError", "PackagesNotFoundInChannelsError",
    "ResolvePackageNotFound", "SpecsConfigurationConflictError", "UnsatisfiableError",
})  # fmt: skip
#: Where conda-lock leaves directories behind; those of ours go with the workspace.
_TEMPORARY = ("TEMP", "TMP", "TMPDIR")
_DROPPED = ("CONDA_FLAGS", "CONDA_PREFIX", "CONDA_SUBDIR", "PYTHONHOME", "PYTHONPATH")


def missing() -> str | None:
    """What this machine lacks for it, and how to get that."""
    if find_spec("conda_lock") is None:
        return "`conda-lock` is not installed beside envtag: `pip install 'envtag[conda-lock]'`"
    return None


def cannot(platform: str) -> str | None:  # noqa: ARG001 - the Protocol's
    """None: it solves for every platform."""
    return None


def solve_all(
    problems: Sequence[CondaProblem],
    *,
    mirrors: Mirrors,
    repodata_cache: Path,
    on_done: Callable[[str], None],
    program: str = "",
) -> list[tuple[Package, ...] | UnsolvableError]:
    """Solve problems side by side; see `engines.CondaEngine`."""
    repodata_cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envtag-conda-lock-") as scratch:
        chosen = choose(program, Path(scratch), os.environ)

        def one(numbered: tuple[int, CondaProblem]) -> tuple[Package, ...] | UnsolvableError:
            number, problem = numbered
            asking = _Asking(
                program=chosen, workspace=Path(scratch, str(number)), mirrors=mirrors, cache=repodata_cache
            )
            try:
                return asking.solve(problem)
            except UnsolvableError as error:
                return error
            finally:
                on_done(problem.platform)

        with ThreadPoolExecutor(_WORKERS) as threads:
            return list(threads.map(one, enumerate(problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How one problem is put to conda-lock."""

    program: Program
    workspace: Path
    mirrors: Mirrors
    cache: Path

    def solve(self, problem: CondaProblem) -> tuple[Package, ...]:
        if problem.preferred:
            wished = replace(problem, kept=(*problem.kept, *problem.preferred), preferred=())
            try:
                return self.solve(wished)
            except UnsolvableError:  # not all of what is preferred goes with the rest: none of it is asked for
                problem = replace(problem, preferred=())
        if problem.exclude_newer and not self.program.own:
            raise FatalError(
                f"{self.program} knows no cutoff, and `exclude-newer` is {problem.exclude_newer}",
                "set `ENVTAG_CONDA=envtag`: conda-lock then solves with envtag's own solver, which honours it",
            )
        asked = question(problem, self.mirrors)
        done = self._run(asked)
        output = self.workspace / "conda-lock.yml"
        if done.returncode != 0 or not output.is_file():
            raise self._failed(done, asked)
        wanted = _packages(load(output.read_bytes(), "conda-lock's answer"))
        return settled(looked_up(wanted, asked, self.mirrors, self.cache), problem)

    def _run(self, asked: Question) -> Completed:
        """Run conda-lock in an empty directory, with nothing of this machine but its conda deciding."""
        problem, platform = asked.problem, base_platform(asked.problem.platform)
        self.workspace.mkdir(exist_ok=True)
        output = self.workspace / "conda-lock.yml"
        output.unlink(missing_ok=True)
        self._write("environment.yml", {
            "channels": [base.rstrip("/") for base in asked.channels],
            "dependencies": [item.match_spec() for item in _specs(problem, self.mirrors)],
            "platforms": [platform],
        })  # fmt: skip
        self._write("virtual.yml", {"subdirs": {platform: {"packages": dict(problem.virtual_packages)}}})
        self._write("names.json", {})
        argv = [
            sys.executable, "-m", "conda_lock", "lock", "--conda", self.program.path, "--log-level", "ERROR",
            "--platform", platform, "--file", "environment.yml", "--lockfile", str(output),
            "--virtual-package-spec", "virtual.yml",
            "--pypi_to_conda_lookup_file", (self.workspace / "names.json").as_uri(),
        ]  # fmt: skip
        return run(argv, cwd=self.workspace, env=self._environment(problem))

    def _environment(self, problem: CondaProblem) -> dict[str, str]:
        variables = {
            name: value
            for name, value in os.environ.items()
            if name not in _DROPPED and not name.startswith("CONDA_OVERRIDE_")
        }
        pins = [*problem.constraints, *(f"{item.name}=={item.version}={item.build}" for item in problem.kept)]
        return {
            **variables,
            "CONDA_CHANNEL_PRIORITY": "strict",
            **dict.fromkeys(_TEMPORARY, str(self.workspace)),
            CUTOFF_VARIABLE: problem.exclude_newer,
            EXEMPT_VARIABLE: " ".join(sorted({*problem.exempt, *(item.name for item in problem.kept)})),
            PINS_VARIABLE: "&".join(pins),
            REPODATA_VARIABLE: str(self.cache),
        }

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        (self.workspace / name).write_text(json.dumps(document), "utf-8")  # JSON is YAML

    def _failed(self, done: Completed, asked: Question) -> FatalError:
        """What a failed conda-lock means: no solution, or what its conda said, or its own words."""
        text = "\n".join(stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        said = said_of(text)
        message = str(said.get("message") or "; ".join(map(str, said.get("solver_problems", ()))))
        if said.get("exception_name") in _UNSOLVABLE or "solver_problems" in said:
            locked = (*asked.problem.pinned, *asked.problem.kept)
            against = {item.name for item in locked if f"{item.name} =={item.version}" in message}
            return unsolvable(_explained(message), asked, against)
        if said and self.program.own:
            first, _, rest = message.partition("\n")
            return FatalError(first, str(said.get("hint", "")), rest.partition("\nhint: ")[0])
        first = next((line for line in message.splitlines() if line.strip()), "")
        return FatalError(
            f"conda-lock could not lock for `{asked.problem.platform}` with {self.program}"
            + (f": {first.rstrip('.')}" if first else ""),
            "the cause is in its own words above; `ENVTAG_CONDA` chooses another conda",
            trim((message or text).replace(f"{self.workspace}/", "")),
        )


def _explained(message: str) -> str:
    """A solver's explanation without what envtag's own program says around it: that is said once, by who asked."""
    head = message.partition("\nasked for by:")[0].partition("\nhint: ")[0]
    return head.partition("\n")[2] if head.startswith("no set of conda packages") else head


def _specs(problem: CondaProblem, mirrors: Mirrors) -> list[CondaRequirement]:
    """One spec a package: conda-lock takes the last one of a name. What a base has is asked for by its build.

    Raises:
        FatalError: Two requirements name different builds or channels of one package.
    """
    merged: dict[str, CondaRequirement] = {}
    exact = [CondaRequirement(name=item.name, version=f"=={item.version}", build=item.build) for item in problem.pinned]
    for item in (*problem.requirements, *exact):
        channel = mirrors.fetch_url(channel_url(item.channel)) if item.channel else ""
        before = merged.get(item.name, CondaRequirement(name=item.name))
        for what, first, second in (("build", before.build, item.build), ("channel", before.channel, channel)):
            if first and second and first != second and item not in exact:
                raise FatalError(
                    f"{item.origin}: `{item.match_spec()}` names another {what} than a requirement before it",
                    "conda-lock asks for one; keep one of them",
                )
        versions = [text for text in (before.version, item.version) if text]
        merged[item.name] = CondaRequirement(
            name=item.name,
            version=versions[0] if len(versions) == 1 else ",".join(f"({x})" if "|" in x else x for x in versions),
            build=item.build or before.build,
            channel=channel or before.channel,
        )
    return list(merged.values())


def _packages(document: Any) -> dict[str, str]:
    """URL to sha256 (empty where there is none) of each conda package of a conda-lock.yml; no virtual ones."""
    if not isinstance(document, dict) or document.get("version") != 1:
        raise FatalError("conda-lock's answer is not of its format 1", "`pip install 'envtag[conda-lock]'`")
    return {
        str(block["url"]): str((block.get("hash") or {}).get("sha256") or "")
        for block in document.get("package") or ()
        if not str(block["name"]).startswith("__")
    }
