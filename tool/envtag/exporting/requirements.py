"""requirements.txt with hashes: for `pip install --require-hashes` and `uv pip install`, of one or more platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.exporting.model import Exported, Subject, count, refuse_without
from envtag.platforms import base_platform
from envtag.wheels import platform_marker

if TYPE_CHECKING:
    from envtag.package import Package

SEVERAL = True


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    refuse_without(subject, "pypi", "requirements.txt", "`--to explicit` or `--to conda-lock` can")
    conda = subject.packages("conda")
    notes = ["install it with `--no-deps`: what its packages need is all in it"]
    if conda:
        notes = [
            f"left to conda: {count(conda, 'conda')}; create them first (`envtag export {subject.name} --to explicit`)",
            "install it with `--no-deps`: what its packages need is in it, or comes from conda",
        ]
    text = "".join(f"{line}\n" for line in requirement_lines(subject))
    return Exported(text=text, notes=tuple(notes))


def requirement_lines(subject: Subject) -> Iterator[str]:
    """The lines of the file; one requirement has one hash, and a marker where platforms differ.

    Raises:
        FatalError: A package is a git commit.
    """
    platforms = [base_platform(lock.platform) for lock in subject.locks]
    pythons = ", ".join(dict.fromkeys(lock.python for lock in subject.locks))
    needed = _needed(subject)
    yield f"# Of {subject.name}, written by `envtag export` for {', '.join(platforms)} and Python {pythons}."
    for package, on in sorted(_by_version(subject).items(), key=lambda item: item[0]):
        name, version, url = package
        marker = "" if len(on) == len(platforms) else f" ; {platform_marker(on)}"
        hashes = sorted({found.sha256 for found in on.values()})
        yield f"{f'{name} @ {url}' if url else f'{name}=={version}'}{marker} \\"
        yield " \\\n".join(f"    --hash=sha256:{sha256}" for sha256 in hashes)
        if needed.get(name):
            yield f"    # via {', '.join(needed[name])}"


def _by_version(subject: Subject) -> dict[tuple[str, str, str], dict[str, Package]]:
    """Name, version and URL (of what was asked for by it) to the platforms' packages."""
    found: dict[tuple[str, str, str], dict[str, Package]] = {}
    for lock in subject.locks:
        for package in lock.by_manager("pypi"):
            if package.is_commit:
                raise FatalError(
                    f"`{package.name}` is a commit of a git repository, and requirements.txt has no hash for one",
                    "`--to pylock` can hold it",
                )
            url = package.url if package.name in subject.direct else ""
            found.setdefault((package.name, package.version, url), {})[base_platform(lock.platform)] = package
    return found


def _needed(subject: Subject) -> Mapping[str, list[str]]:
    """Name to the names of those that need it."""
    found: dict[str, set[str]] = {}
    for package in subject.packages("pypi"):
        for name in package.depends:
            found.setdefault(name, set()).add(package.name)
    return {name: sorted(who) for name, who in found.items()}
