"""Rules about locks: there is one a platform, it answers the spec, is whole, and has envtag's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.platforms import DEFAULT_VIRTUAL_PACKAGES, base_platform
from envtag.policy import normalized
from envtag.util.yaml_text import scalar

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.findings import Finding
    from envtag.lock import Lock

_RELOCK = "`envtag lock` writes it anew"
_SHOWN = 5


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """What is wrong with the locks of an environment."""
    yield from _platforms(subject)
    yield from _fresh(subject, context)
    for platform, lock in sorted(subject.locks.items()):
        file = f"{platform}-lock.yml"
        yield from _complete(subject, lock, file)
        if not subject.is_canonical(platform):
            message = f"`{subject.directory}/{file}` is not written as envtag writes it"
            yield subject.finding("lock-canonical", message, _RELOCK, file=file)


def _platforms(subject: Subject) -> Iterator[Finding]:
    if subject.settings is None or subject.now is None:
        return
    for platform in subject.settings.platforms:
        if platform not in subject.now.platforms:
            message = f"`{subject.name}` has no lock for {platform}, which `envtag.yml` names"
            yield subject.finding("lock-platforms", message, "lock it: `envtag lock`")
    for platform in subject.now.platforms:
        if platform not in subject.settings.platforms:
            message = f"`{subject.name}` has a lock for {platform}, which `envtag.yml` does not name"
            hint = "remove it, or add the platform"
            yield subject.finding("lock-platforms", message, hint, file=f"{platform}-lock.yml")


def _fresh(subject: Subject, context: Context) -> Iterator[Finding]:
    """Each lock is of the request that settings and specs make today; nothing is solved to tell that."""
    drafted = subject.draft(context.registry, context.config) if subject.locks else None
    if drafted is None:
        return
    for platform, lock in sorted(subject.locks.items()):
        file = f"{platform}-lock.yml"
        line = subject.line(file, "envtag-request:")
        if lock.request != drafted.id:
            message = f"the lock of `{subject.name}` for {platform} answers another request than its spec makes"
            hint = f"lock it again: `envtag lock {subject.name}` (spec {drafted.id[:12]}, lock {lock.request[:12]})"
            yield subject.finding("lock-fresh", message, hint, file=file, line=line)
        elif not drafted.is_answered_by(lock):
            message = f"the lock of `{subject.name}` for {platform} is on another base than `{subject.base}` is now"
            yield subject.finding("lock-fresh", message, "lock it again: `envtag lock`", file=file, line=line)
        elif lock.channels != drafted.request.on(platform).channels:
            message = f"the lock of `{subject.name}` for {platform} states other channels than its spec"
            yield subject.finding("lock-fresh", message, _RELOCK, file=file)


def _complete(subject: Subject, lock: Lock, file: str) -> Iterator[Finding]:
    """Each dependency is in the lock by its name, or is a virtual package of the platform."""
    names = {package.name for package in lock.by_manager("conda")}
    virtual = {*lock.virtual_packages, *DEFAULT_VIRTUAL_PACKAGES[base_platform(lock.platform)]}
    pypi = {normalized(package.name) for package in lock.packages}
    missing: dict[str, str] = {}
    for package in lock.packages:
        for spec in package.depends:
            name = spec.split(maxsplit=1)[0].split("[")[0]
            if package.manager == "conda":
                there = name in virtual if name.startswith("__") else name in names
            else:
                there = normalized(name) in pypi
            if not there:
                missing.setdefault(name, str(package))
    for name, needs in sorted(missing.items())[:_SHOWN]:
        message = f"`{needs}` depends on `{name}`, which the lock for {lock.platform} does not have"
        yield subject.finding(
            "lock-complete", message, _RELOCK, file=file, line=subject.line(file, f"{scalar(name)}: ")
        )
    if len(missing) > _SHOWN:
        message = f"{len(missing) - _SHOWN} more dependencies are not in the lock for {lock.platform}"
        yield subject.finding("lock-complete", message, _RELOCK, file=file)
