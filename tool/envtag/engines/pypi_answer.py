"""From what an engine chose of PyPI to locked packages: one file each, what is kept as it was, nothing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envtag.engines import ExtrasWantedError
from envtag.errors import FatalError, UnsolvableError
from envtag.hashes import stated_hashes, wrong_hash
from envtag.package import Package
from envtag.urls import without_credentials
from envtag.wheels import marker_environment, pick_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from envtag.engines import PypiProblem
    from envtag.engines.pylock import Entry, File
    from envtag.urls import Mirrors

_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])? ?(?:==|@)")
#: As uv says it, and as pip does.
_NO_EXTRA = re.compile(
    r"(?:The package `|WARNING: )([A-Za-z0-9][\w.-]*)[^`\n]*`? "
    r"does not (?:have an extra named|provide the extra) [`']([^`']+)"
)
_VIA = re.compile(r"^ {4}# (?:via |  )([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?$")


def answer(
    problem: PypiProblem, entries: Sequence[Entry], needs: Mapping[str, AbstractSet[str]], mirrors: Mirrors
) -> tuple[Package, ...]:
    """The locked packages of a resolution, by name.

    Args:
        problem: What was asked.
        entries: What was chosen, with the files of each.
        needs: Name to the names of what it needs.
        mirrors: Whose URLs are written down as canonical ones.

    Raises:
        UnsolvableError: What is locked is not in it as it was, or what conda brings is in it.
        FatalError: A package has no file that the target can use.
    """
    environment = marker_environment(problem.platform, problem.python)
    entries = [entry for entry in entries if entry.applies(environment)]
    _refuse_provided(problem, entries)
    names = {entry.name for entry in entries}
    stated = stated_hashes(problem.requirements, problem.platform, problem.python)
    packages = {
        entry.name: _package(
            entry, problem, mirrors, tuple(sorted(needs.get(entry.name, set()) & names)), stated.get(entry.name)
        )
        for entry in entries
    }
    packages.update(_still(problem, entries, packages))
    packages.update(_kept(problem, entries))
    return tuple(package for _, package in sorted(packages.items()))


def dependencies(text: str) -> dict[str, set[str]]:
    """Name to the names of what it needs, from the annotations (`--annotation-style split`) of uv or pip-compile."""
    needs: dict[str, set[str]] = {}
    current = ""
    for line in text.splitlines():
        if pinned := _PINNED.match(line):
            current = canonicalize_name(pinned.group(1))
        elif current and (via := _VIA.match(line)):
            needs.setdefault(canonicalize_name(via.group(1)), set()).add(current)
        elif not line.startswith("    "):
            current = ""
    return needs


def offers(entry: Entry, locked: Package) -> bool:
    """Whether an entry has the very file, or the very commit, that is locked."""
    if locked.is_commit:
        return entry.git is not None and str(entry.git) == locked.url
    return locked.sha256 in {file.sha256 for file in entry.files}


def _package(
    entry: Entry, problem: PypiProblem, mirrors: Mirrors, depends: tuple[str, ...], allowed: Collection[str] | None
) -> Package:
    if entry.git is not None:
        url = mirrors.canonical_url(str(entry.git))
        return Package(manager="pypi", name=entry.name, version=entry.version, url=url, sha256="", depends=depends)
    file = _choose(entry, problem, allowed)
    return Package(
        manager="pypi",
        name=entry.name,
        version=entry.version,
        url=_canonical(entry, file, problem, mirrors),
        sha256=file.sha256,
        size=file.size,
        timestamp=file.uploaded,
        depends=depends,
    )


def _canonical(entry: Entry, file: File, problem: PypiProblem, mirrors: Mirrors) -> str:
    """The canonical URL of a file; what the mirror of the default index answers with is none.

    Raises:
        FatalError: Nothing says where the mirror's files are for others.
    """
    url = mirrors.canonical_url(file.url)
    root = without_credentials(mirrors.default_index).removesuffix("/simple").removesuffix("/+simple")
    asked = mirrors.default_index and not problem.index_url and not entry.direct
    if asked and url.startswith(f"{root}/"):
        raise FatalError(
            f"`{entry.name} {entry.version}` is from the mirror of the default index, and a lock holds no mirrors",
            f"add where its files are for all, `CANONICAL={root}`, to ENVTAG_MIRRORS, or name it by `--index-url`",
            f"the file: {without_credentials(file.url)}",
        )
    return url


def _choose(entry: Entry, problem: PypiProblem, allowed: Collection[str] | None) -> File:
    """The wheel that an installer on the target takes, else the sdist; only files of allowed hashes, if any are."""
    if allowed is not None and not any(file.sha256 in allowed for file in entry.files):
        offered = {file.name: file.sha256 for file in entry.files}
        raise wrong_hash(f"{entry.name} {entry.version}", problem.platform, offered)
    wheels = {file.name: file for file in entry.wheels if allowed is None or file.sha256 in allowed}
    name = pick_wheel(
        sorted(wheels), platform=problem.platform, python=problem.python, virtual_packages=problem.virtual_packages
    )
    if name is not None:
        return wheels[name]
    if entry.source is not None and (allowed is None or entry.source.sha256 in allowed):
        return entry.source
    raise FatalError(
        f"`{entry.name} {entry.version}` has neither a wheel for Python {problem.python} on `{problem.platform}` "
        "nor an sdist",
        "ask for another version, leave the platform out, or declare a newer `__glibc` or `__osx` in `envtag.yml`",
        "\n".join(f"there is: {filename}" for filename in sorted(wheels)[:20]),
    )


def _kept(problem: PypiProblem, entries: Sequence[Entry]) -> dict[str, Package]:
    """The pinned packages, which the answer must hold with the very file that is locked.

    Raises:
        UnsolvableError: One is not in it, or only with other bytes.
    """
    found = {entry.name: entry for entry in entries}
    for locked in problem.pinned:
        entry = found.get(locked.name)
        if entry is None or not offers(entry, locked):
            raise UnsolvableError(
                f"locked `{locked}` of the base cannot be kept on `{problem.platform}`: "
                f"{'the answer is without it' if entry is None else 'what is offered has other bytes'}",
                "the base's packages are kept exactly; ask for something that goes with them",
                f"locked: {locked.filename} (sha256 {locked.sha256})",
            )
    return {locked.name: locked for locked in problem.pinned}


def _still(problem: PypiProblem, entries: Sequence[Entry], packages: Mapping[str, Package]) -> dict[str, Package]:
    """What is kept of the answer, with the very file that is locked, and with what it needs now.

    Raises:
        UnsolvableError: One is offered with other bytes.
    """
    found = {entry.name: entry for entry in entries}
    kept = [item for item in problem.kept if item.name in found]
    for locked in kept:
        if not offers(found[locked.name], locked):
            raise UnsolvableError(
                f"`{locked}` cannot be kept on `{problem.platform}`: what is offered has other bytes",
                "lock it without what is to be kept: `envtag resolve --force`",
                f"locked: {locked.filename} (sha256 {locked.sha256})",
                frozenset({locked.name}),
            )
    return {locked.name: locked._replace(depends=packages[locked.name].depends) for locked in kept}


def look_at_extras(problem: PypiProblem, said: str) -> None:
    """See that what the extras of conda's dists need is in the answer: a solver says which extra a stub is without.

    Args:
        problem: What was asked.
        said: The solver's stderr.

    Raises:
        ExtrasWantedError: Nobody has looked yet what they need.
        FatalError: A requirement asks for an extra that there is not.
    """
    missing = {(canonicalize_name(name), canonicalize_name(extra)) for name, extra in _NO_EXTRA.findall(said)}
    provided = {dist.name: dist for dist in problem.provided}
    unknown = {name for name, _ in missing if name in provided and provided[name].extras is None}
    if unknown:
        raise ExtrasWantedError(unknown)
    for item in problem.requirements:
        for extra in sorted(Requirement(item.text).extras):
            if item.name in provided and (item.name, canonicalize_name(extra)) in missing:
                dist = provided[item.name]
                listed = ", ".join(f"`{name}`" for name in dist.extras or ()) or "none"
                raise FatalError(
                    f"{item.origin}: `{item.text}`: conda package `{dist.by}` has no extra `{extra}`",
                    f"it has {listed}; ask for what you need by name",
                )


def _refuse_provided(problem: PypiProblem, entries: Sequence[Entry]) -> None:
    """What conda brings under a version that PEP 440 does not know cannot bound uv: it must not come in twice."""
    provided = {dist.name: dist for dist in problem.provided}
    for entry in entries:
        if entry.name in provided:
            dist = provided[entry.name]
            raise UnsolvableError(
                f"`{entry.name} {entry.version}` is needed from PyPI on `{problem.platform}`, "
                f"but conda package `{dist.by}` brings it as version `{dist.version}`",
                "take both from conda, or both from PyPI",
            )
