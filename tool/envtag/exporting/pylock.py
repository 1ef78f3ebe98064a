"""pylock.toml (PEP 751, lock-version 1.0): the PyPI packages of one or more platforms, for uv and pip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from envtag.exporting.model import Exported, Subject, count, refuse_without
from envtag.platforms import base_platform
from envtag.urls import parse_git
from envtag.util.toml import basic_string as text
from envtag.wheels import platform_marker

if TYPE_CHECKING:
    from envtag.package import Package

SEVERAL = True
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    refuse_without(subject, "pypi", "pylock.toml", "`--to explicit` or `--to conda-lock` can")
    conda = subject.packages("conda")
    note = f"left to conda: {count(conda, 'conda')}; create them first (`envtag export {subject.name} --to explicit`)"
    return Exported(text="\n".join(_lines(subject)) + "\n", notes=(note,) if conda else ())


def _lines(subject: Subject) -> Iterator[str]:
    platforms = [base_platform(lock.platform) for lock in subject.locks]
    pythons = list(dict.fromkeys(lock.python for lock in subject.locks))
    yield f"# Of {subject.name}, written by `envtag export`."
    yield 'lock-version = "1.0"'
    yield f"environments = [{', '.join(text(platform_marker([name])) for name in platforms)}]"
    if len(pythons) == 1:
        yield f"requires-python = {text(f'=={pythons[0]}.*')}"
    yield 'created-by = "envtag"'
    for packages in _entries(subject):
        yield ""
        yield "[[packages]]"
        on = [platform for platform, _ in packages]
        direct = packages[0][1].name in subject.direct
        yield from _entry([package for _, package in packages], on, platforms, direct=direct)
    yield ""
    yield "[tool.envtag]"
    yield f"python = {text(pythons[0])}"
    for lock in subject.locks:
        yield f"lock-{base_platform(lock.platform)} = {text(lock.id)}"


def _entries(subject: Subject) -> Iterator[list[tuple[str, Package]]]:
    """What is one entry: packages of one name and version, with the platforms that they are on."""
    found: dict[tuple[str, str, str], list[tuple[str, Package]]] = {}
    for lock in subject.locks:
        for package in lock.by_manager("pypi"):
            by_url = package.is_commit or package.name in subject.direct
            key = (package.name, package.version, package.url if by_url else "")
            found.setdefault(key, []).append((base_platform(lock.platform), package))
    yield from (found[key] for key in sorted(found))


def _entry(packages: Sequence[Package], on: Sequence[str], platforms: Sequence[str], *, direct: bool) -> Iterator[str]:
    first = packages[0]
    yield f"name = {text(first.name)}"
    yield f"version = {text(first.version)}"
    if len(on) < len(platforms):
        yield f"marker = {text(platform_marker(on))}"
    depends = sorted({name for package in packages for name in package.depends})
    if depends:
        yield f"dependencies = [{', '.join(f'{{ name = {text(name)} }}' for name in depends)}]"
    git = parse_git(first.url)
    if git is not None:
        directory = f", subdirectory = {text(git.subdirectory)}" if git.subdirectory else ""
        yield (f'vcs = {{ type = "git", url = {text(git.repository)}, commit-id = {text(git.revision)}{directory} }}')
        return
    if direct:
        yield f"archive = {_file(first, named=False)}"
        return
    files = {package.sha256: package for package in packages}
    sources = [package for package in files.values() if package.is_source]
    wheels = [package for package in files.values() if not package.is_source]
    for package in sources[:1]:
        yield f"sdist = {_file(package)}"
    if wheels:
        yield f"wheels = [{', '.join(_file(package) for package in wheels)}]"


def _file(package: Package, *, named: bool = True) -> str:
    fields = [f"name = {text(package.filename)}"] if named else []
    fields.append(f"url = {text(package.url)}")
    if package.timestamp is not None:
        moment = _EPOCH + timedelta(milliseconds=package.timestamp)
        fields.append(f"upload-time = {moment.strftime('%Y-%m-%dT%H:%M:%S')}.{package.timestamp % 1000:03}Z")
    if package.size is not None:
        fields.append(f"size = {package.size}")
    fields.append(f"hashes = {{ sha256 = {text(package.sha256)} }}")
    return f"{{ {', '.join(fields)} }}"
