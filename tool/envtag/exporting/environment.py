"""environment.yml: exact versions and builds of one platform, for conda and mamba; without hashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.exporting.model import Exported, Subject
from envtag.urls import channel_name
from envtag.util.yaml_text import scalar

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

SEVERAL = False
_DEFAULT = "conda-forge"


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    lock = subject.only
    notes = ["it holds no hashes, and conda solves it again: `--to explicit` and `--to conda-lock` hold them"]
    if lock.interpreter != "conda":
        notes.append(f"Python {lock.python} will be of `{_DEFAULT}`, since environment.yml knows no other one")
    if lock.by_manager("pypi") and not _has(lock, "pip"):
        notes.append("`pip` is in it in addition: conda installs PyPI packages with it")
    text = "".join(f"{line}\n" for line in _lines(subject, lock))
    return Exported(text=text, notes=tuple(notes))


def _lines(subject: Subject, lock: Lock) -> Iterator[str]:
    channels = [channel_name(url) for url in lock.channels] or [_DEFAULT]
    pypi = lock.by_manager("pypi")
    yield f"# Of {subject.name}, written by `envtag export` for {lock.platform}."
    yield f"name: {scalar(subject.plain_name)}"
    yield "channels:"
    yield from (f"- {scalar(name)}" for name in channels)
    yield "dependencies:"
    if lock.interpreter != "conda":
        yield f"- {scalar(f'python={lock.python}')}"
    yield from (f"- {scalar(_conda(package, lock.channels))}" for package in lock.by_manager("conda"))
    if pypi and not _has(lock, "pip"):
        yield "- pip"
    if pypi:
        yield "- pip:"
    yield from (f"  - {scalar(_pypi(package))}" for package in pypi)


def _has(lock: Lock, name: str) -> bool:
    return any(package.name == name for package in lock.by_manager("conda"))


def _conda(package: Package, channels: tuple[str, ...]) -> str:
    """One match spec; a package of another channel than the first one names it."""
    channel = package.url.rsplit("/", 2)[0]
    head = "" if not channels or channel == channels[0] else f"{channel_name(channel)}::"
    return f"{head}{package.name}={package.version}={package.build}"


def _pypi(package: Package) -> str:
    if package.is_commit:
        return f"{package.name} @ {package.url}"
    return f"{package.name}=={package.version}"
