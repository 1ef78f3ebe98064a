"""Between envtag's nouns and rattler's: match specs, virtual packages, records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.package import Package
from envtag.request import CondaRequirement
from envtag.urls import Mirrors, channel_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envtag.engines import CondaProblem

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_BUILD_NUMBER = re.compile(r"(?:^|_)(\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A problem in rattler's words, checked: what cannot be asked was refused.

    Attributes:
        problem: As it was given.
        channels: Base URL as rattler writes it (with a trailing slash) to the canonical one, in order.
        roots: Match specs of what must be there.
        constraints: Match specs that bound what is there.
        virtual_packages: rattler's own objects.
        cutoff: Aware UTC datetime, or None.
    """

    problem: CondaProblem
    channels: Mapping[str, str]
    roots: Sequence[Any]
    constraints: Sequence[Any]
    virtual_packages: Sequence[Any]
    cutoff: datetime | None


def question(problem: CondaProblem, mirrors: Mirrors) -> Question:
    """Put a problem in rattler's words.

    Strict channel priority has a hole in rattler for root specs: only records that match a root are loaded, so a
    channel whose versions do not match no longer counts as having the package. Bounds therefore go in as constraints
    beside a bare-name root. A requirement that names its channel is a root as it is: that pins it to the channel.

    Raises:
        FatalError: A requirement, a channel, a virtual package or a cutoff is malformed.
    """
    from rattler import MatchSpec

    channels = _channels(problem, mirrors)
    pinned_to = {item.name for item in problem.requirements if item.channel}
    roots: dict[str, None] = {package.name: None for package in problem.pinned}
    bounds: dict[str, None] = dict.fromkeys(problem.constraints)
    for item in problem.requirements:
        spec = _spec(item, mirrors)
        if item.channel:
            roots.pop(item.name, None)
            roots[spec] = None
            continue
        if item.name not in pinned_to:
            roots[item.name] = None
        if item.version or item.build:
            bounds[spec] = None
    return Question(
        problem=problem,
        channels=channels,
        roots=[MatchSpec(text, strict=False) for text in roots],
        constraints=[MatchSpec(text, strict=False) for text in bounds],
        virtual_packages=[_virtual(name, value) for name, value in problem.virtual_packages.items()],
        cutoff=cutoff(problem.exclude_newer),
    )


def cutoff(text: str) -> datetime | None:
    """The cutoff of a request as an aware UTC datetime: rattler reads any other zone as UTC without a word.

    Raises:
        FatalError: It is not `YYYY-MM-DDTHH:MM:SSZ`.
    """
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise FatalError(f"`{text}` is not a cutoff", "write it as `2026-01-31T00:00:00Z`") from error


def package_of(record: Any, channels: Mapping[str, str], mirrors: Mirrors) -> Package:
    """A solver's record as a locked package, with its canonical URL.

    Raises:
        FatalError: The channel states no sha256 or no md5 of it.
    """
    name = record.name.normalized
    for kind, value in (("sha256", record.sha256), ("md5", record.md5)):
        if not value:
            raise FatalError(
                f"the channel states no {kind} of `{record.file_name}`, and a lock holds hashed packages only",
                f"index the channel anew, or take `{name}` from another one",
            )
    return Package(
        manager="conda",
        name=name,
        version=str(record.version),
        url=canonical(record.url, channels, mirrors),
        sha256=record.sha256.hex(),
        md5=record.md5.hex(),
        build=str(record.build),
        subdir=str(record.subdir),
        size=record.size,
        license=record.license or None,
        timestamp=None if record.timestamp is None else (record.timestamp - _EPOCH) // timedelta(milliseconds=1),
        depends=tuple(record.depends),
    )


def canonical(url: str, channels: Mapping[str, str], mirrors: Mirrors) -> str:
    """The canonical URL of a file that a channel, or its mirror, answered with."""
    for base, public in channels.items():
        if url.startswith(base):
            return f"{public}/{url[len(base) :]}"
    return mirrors.canonical_url(url)


def record_of(package: Package, mirrors: Mirrors, built: datetime | None) -> Any:
    """A locked package as a record that a solver can pin, from what the lock holds (no `constrains` in it).

    Args:
        package: A conda package.
        mirrors: Where its channel is fetched from.
        built: The timestamp to state, so that a cutoff does not exclude what is locked.
    """
    from rattler import BuildString, PackageRecord, RepoDataRecord

    number = _BUILD_NUMBER.search(package.build)
    record = PackageRecord(
        package.name,
        package.version,
        BuildString(package.build),
        int(number.group(1)) if number else 0,
        package.subdir,
        depends=list(package.depends),
        sha256=bytes.fromhex(package.sha256),
        md5=bytes.fromhex(package.md5) if package.md5 else None,
        size=package.size,
        license=package.license,
    )
    url = mirrors.fetch_url(package.url)
    pinned = RepoDataRecord(record, package.filename, url, url.rsplit("/", 2)[0])
    if built is not None:
        pinned.timestamp = built
    return pinned


def _channels(problem: CondaProblem, mirrors: Mirrors) -> dict[str, str]:
    """The problem's channels, then those that only a requirement names (lowest priority, as conda has it)."""
    from rattler import Channel

    named = [channel_url(item.channel) for item in problem.requirements if item.channel]
    return {Channel(mirrors.fetch_url(url)).base_url: url.rstrip("/") for url in (*problem.channels, *named)}


def _spec(item: CondaRequirement, mirrors: Mirrors) -> str:
    from rattler import MatchSpec
    from rattler.exceptions import InvalidChannelError, InvalidMatchSpecError, InvalidPackageNameError

    text = CondaRequirement(name=item.name, version=item.version, build=item.build).match_spec()
    if item.channel:
        text = f"{mirrors.fetch_url(channel_url(item.channel))}::{text}"
    try:
        MatchSpec(text, strict=False)
    except (InvalidMatchSpecError, InvalidPackageNameError, InvalidChannelError) as error:
        shown = " ".join(str(error).split())
        where = f"{item.origin}: " if item.origin.file else ""
        raise FatalError(f"{where}`{item.match_spec()}` is not a conda match spec: {shown}") from error
    return text


def _virtual(name: str, value: str) -> Any:
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version
    from rattler.exceptions import InvalidPackageNameError, InvalidVersionError

    version, _, build = value.strip().partition(" ")
    try:
        return GenericVirtualPackage(PackageName(name), Version(version), BuildString(build.strip() or "0"))
    except (InvalidPackageNameError, InvalidVersionError) as error:
        raise FatalError(
            f"virtual package `{name}: {value}` is malformed: {error}", "write `VERSION` or `VERSION BUILD`"
        ) from error
