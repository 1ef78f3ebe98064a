"""How uv is called: its argv, its environment, and the files that it reads."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from envtag.engines.stubs import stub_wheel
from envtag.uv_indices import index_words, netrc_for, own_netrc
from envtag.uv_program import run_uv
from envtag.wheels import uv_platform

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from envtag.engines import PypiProblem
    from envtag.package import Package
    from envtag.request import PypiOptions, PypiRequirement
    from envtag.urls import Mirrors
    from envtag.util.process import Completed
    from envtag.uv_indices import Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """One `uv pip compile`, ready to run.

    Attributes:
        arguments: Without the output format.
        cache: uv's cache directory.
        variables: What is set in its environment.
        stubs: URL of a stub wheel to the conda package that it stands for.
        workspace: The directory of its input.
        preferred: Name to version of what is taken where it goes with everything else.
    """

    arguments: Sequence[str]
    cache: Path
    variables: Mapping[str, str] = field(repr=False)
    stubs: Mapping[str, str]
    workspace: Path
    preferred: Mapping[str, str]

    def run(self, output_format: str, *options: str) -> Completed:
        """Run it; what it prints is the answer.

        Args:
            output_format: `pylock.toml` or `requirements.txt`.
            options: Further options.
        """
        arguments = [*self.arguments, "--format", output_format, *options]
        if not self.preferred:
            return run_uv(arguments, cache=self.cache, extra=self.variables)
        file = self.workspace / output_format  # what is in an output file that is there is what uv prefers
        file.write_text(_preferences(output_format, self.preferred), encoding="utf-8")
        done = run_uv([*arguments, "--output-file", str(file)], cache=self.cache, extra=self.variables)
        return done._replace(stdout=file.read_bytes() if done.returncode == 0 else b"")


def prepare(
    problem: PypiProblem, workspace: Path, *, mirrors: Mirrors, cache: Path, by_url: Collection[str]
) -> Compile:
    """Write what uv reads, and the call that reads it.

    Args:
        problem: What is to be solved.
        workspace: An empty directory for its input.
        mirrors: Where indices and direct URLs are really fetched from.
        cache: uv's cache directory; stub wheels are kept there as well.
        by_url: Names of pinned packages that are asked for by their locked URL, since no index offers them.
    """
    stubs: dict[str, str] = {}
    unwanted: list[str] = []
    bounds = [_line(item.text, mirrors) for item in problem.requirements if item.constraint]
    (cache / "envtag-stubs").mkdir(parents=True, exist_ok=True)
    for dist in problem.provided:
        path = stub_wheel(dist, cache / "envtag-stubs")
        if path is not None:
            stubs[path.as_uri()] = f"conda package `{dist.by}`"
            bounds.append(f"{dist.name} @ {path.as_uri()}")
            unwanted += ["--no-emit-package", dist.name]
    commits = {package.name: package.url for package in problem.kept if package.is_commit}
    bounds += [f"{package.name}=={package.version}" for package in problem.kept if not package.is_commit]
    indices = index_words(
        mirrors,
        problem.credentials,
        default=problem.index_url,
        extra=problem.extra_index_urls,
        no_index=problem.options.no_index,
    )
    roots = [item for item in problem.requirements if not item.constraint]
    lines = [_line(item.text, mirrors, commits.get(item.name)) for item in roots if not item.index]
    for package in problem.pinned:
        version = f" @ {mirrors.fetch_url(package.url)}" if package.name in by_url else f"=={package.version}"
        lines.append(f"{package.name}{version}")
    _write(workspace / "requirements.in", lines)
    _write(workspace / "constraints.txt", bounds)
    inputs = [str(workspace / "requirements.in")]
    tied = [item for item in roots if item.index]
    if tied:
        _write(workspace / "pyproject.toml", _tied_to_indices(tied, indices))
        inputs.append(str(workspace / "pyproject.toml"))
    for url in problem.options.find_links:
        indices.words += ["--find-links", mirrors.fetch_url(url)]
    preferred = {package.name: package.version for package in problem.preferred if not package.is_commit}
    value, variables = uv_platform(problem.platform, problem.virtual_packages)
    arguments = [
        "pip", "compile", "--no-header", "--python", sys.executable,
        "--python-version", problem.python, "--python-platform", value,
        *indices.words,
        *(_cutoff_options(problem) if problem.exclude_newer else ()),
        *_choices(problem.options),
        *unwanted,
        "--constraints", str(workspace / "constraints.txt"), *inputs,
    ]  # fmt: skip
    variables |= {**indices.variables, **netrc_for(problem.credentials, workspace, own_netrc(os.environ))}
    return Compile(
        arguments=arguments, cache=cache, variables=variables, stubs=stubs, workspace=workspace, preferred=preferred
    )


def _preferences(output_format: str, preferred: Mapping[str, str]) -> str:
    """An output file of an earlier run, as far as uv reads it."""
    if output_format != "pylock.toml":
        return "".join(f"{name}=={version}\n" for name, version in preferred.items())
    entries = (f'[[packages]]\nname = "{name}"\nversion = "{version}"\n' for name, version in preferred.items())
    return 'lock-version = "1.0"\ncreated-by = "envtag"\n' + "".join(entries)


def _cutoff_options(problem: PypiProblem) -> list[str]:
    """The cutoff, and what it is not for: what is kept, what is exempt, and a preferred package as it is."""
    options = ["--exclude-newer", problem.exclude_newer]
    for name in sorted({*problem.exempt, *(package.name for package in problem.kept)}):
        options += ["--exclude-newer-package", f"{name}=false"]
    for package in problem.preferred:
        when = _after(package)
        if when > problem.exclude_newer and package.name not in problem.exempt:
            options += ["--exclude-newer-package", f"{package.name}={when}"]
    return options


def _after(package: Package) -> str:
    """The first whole second after a package was published; empty where that is not known."""
    if package.timestamp is None:
        return ""
    when = datetime.fromtimestamp(package.timestamp // 1000 + 1, timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _choices(options: PypiOptions) -> list[str]:
    words = ["--prerelease", "allow"] if options.prereleases else []
    for name in options.only_binary:
        words += ["--only-binary", name]
    for name in options.no_binary:
        words += ["--no-binary", name]
    return words


def _tied_to_indices(requirements: Sequence[PypiRequirement], indices: Indices) -> list[str]:
    """A project that needs what may come from one index only: uv knows that of projects, not of lists."""
    known = {url: indices.named(url) for url in dict.fromkeys(item.index for item in requirements)}
    lines = ["[project]", 'name = "envtag-request"', 'version = "0"', "dependencies = ["]
    lines += [f"  {_quoted(item.text)}," for item in requirements]
    lines += ["]", "[tool.uv.sources]"]
    lines += [f'{item.name} = {{ index = "{known[item.index][0]}" }}' for item in requirements]
    for name, address in known.values():
        lines += ["[[tool.uv.index]]", f'name = "{name}"', f"url = {_quoted(address)}", "explicit = true"]
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text)  # a JSON string is a TOML string


def _line(text: str, mirrors: Mirrors, commit: str | None = None) -> str:
    """A requirement as uv is asked for it; one on a repository at its kept commit, if any."""
    requirement = Requirement(text)
    if requirement.url is None:
        return text
    requirement.url = mirrors.fetch_url(commit or requirement.url)
    return str(requirement)


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
