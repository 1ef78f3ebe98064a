"""The rule about where packages come from: the channels and indices that are declared, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envtag.errors import FatalError
from envtag.urls import parse_git

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.findings import Finding, Severity
    from envtag.lock import Lock
    from envtag.package import Package
    from envtag.request import Request

_HINT = "declare its channel or index, or add the host to `hosts` of the policy"
_SHOWN = 5


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """Which packages of an environment come from where nobody said."""
    drafted = subject.draft(context.registry, context.config) if subject.locks else None
    if drafted is None:
        return
    allowed = set(context.policy.limits_of(subject.name).hosts)
    for platform, lock in sorted(subject.locks.items()):
        request = drafted.request.on(platform)
        base = drafted.base_locks.get(platform)
        known = {package.sha256 for package in base.packages} if base is not None else set()
        conda = _outside_channels(lock, request, known, allowed)
        yield from _told(subject, conda, f"{platform}-lock.yml", "error")
        pypi, severity = _outside_indices(subject, lock, request, known, allowed)
        yield from _told(subject, pypi, f"{platform}-lock.yml", severity)


def _outside_channels(lock: Lock, request: Request, known: set[str], allowed: set[str]) -> list[Package]:
    named = (*request.channels, *(item.channel for item in request.conda if item.channel))
    channels = tuple(f"{channel.rstrip('/')}/" for channel in named)
    return [
        package
        for package in lock.by_manager("conda")
        if not package.url.startswith(channels) and package.sha256 not in known and host_of(package.url) not in allowed
    ]


def _outside_indices(
    subject: Subject, lock: Lock, request: Request, known: set[str], allowed: set[str]
) -> tuple[list[Package], Severity]:
    """PyPI packages from other hosts, and how bad that is.

    Nobody declares the default index and the host that its files are on. There, what the lock had before is known
    too; where nothing is, one host for all is a matter of warning.
    """
    declared = {host_of(url) for url in request.indices}
    declared |= {host_of(url) for item in request.pypi if (url := item.text.partition(" @ ")[2].strip())}
    packages = [
        package
        for package in lock.by_manager("pypi")
        if package.sha256 not in known and host_of(package.url) not in {*declared, *allowed}
    ]
    if request.index_url or allowed or not packages:
        return packages, "error"
    before = _hosts_before(subject, lock.platform)
    if before:
        return [package for package in packages if host_of(package.url) not in before], "error"
    return packages, "warning" if len({host_of(package.url) for package in packages}) == 1 else "error"


def _hosts_before(subject: Subject, platform: str) -> set[str]:
    if subject.before is None or platform not in subject.before.platforms:
        return set()
    try:
        return {host_of(package.url) for package in subject.before.lock(platform).by_manager("pypi")}
    except FatalError:  # it could not be read then either; nothing of it is known
        return set()


def _told(subject: Subject, packages: list[Package], file: str, severity: Severity) -> Iterator[Finding]:
    """One finding a host."""
    hosts: dict[str, list[Package]] = {}
    for package in packages:
        hosts.setdefault(host_of(package.url), []).append(package)
    for host, found in sorted(hosts.items()):
        names = ", ".join(f"`{package.name}`" for package in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        where = f"`{host}`" if host else "no host"
        message = f"{names}{more} come{'s' if len(found) == 1 else ''} from {where}, which is not declared"
        line = subject.line(file, found[0].url)
        yield subject.finding("no-unknown-hosts", message, _HINT, file=file, line=line, severity=severity)


def host_of(url: str) -> str:
    """The host of a URL, with its port where there is one; empty where there is none."""
    try:
        git = parse_git(url)
        parts = urlsplit(git.repository if git is not None else url)
        port = f":{parts.port}" if parts.port else ""
    except (FatalError, ValueError):
        return ""
    return f"{parts.hostname or ''}{port}"
