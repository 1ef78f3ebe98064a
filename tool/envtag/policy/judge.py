"""What a policy has against an environment: values in, violations out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from envtag.platforms import base_platform
from envtag.policy.licenses import allows
from envtag.policy.model import Banned, Limits, normalized

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package
    from envtag.request import Request

_DAY = 86_400_000
_CONDA_PIN = re.compile(r"={0,2}(?P<minor>\d+\.\d+)(?:\.\d[\w.]*)?(?:\.?\*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something that a policy does not allow.

    Attributes:
        rule: One of `RULES`.
        message: What it is, in one line.
        hint: What to do.
        package: Name of the package that it is about, empty where it is about none.
        platforms: The platforms whose locks have it, sorted; empty where it is about none.
    """

    rule: str
    message: str
    hint: str = ""
    package: str = ""
    platforms: tuple[str, ...] = ()


def violations(
    limits: Limits, locks: Mapping[str, Lock], request: Request | None, *, now: int
) -> tuple[Violation, ...]:
    """What does not keep to limits, by rule and package, each once for all platforms that have it.

    Args:
        limits: What holds for the environment.
        locks: Platform to lock.
        request: What was asked for; None where that could not be read.
        now: Milliseconds since 1970.
    """
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for platform, lock in sorted(locks.items()):
        for item in (*_of_packages(limits, lock.packages, now), *_of_lock(limits, lock)):
            found.setdefault((item.rule, item.package, item.message, item.hint), []).append(platform)
    merged = [
        Violation(rule=rule, message=message, hint=hint, package=package, platforms=tuple(platforms))
        for (rule, package, message, hint), platforms in found.items()
    ]
    whole = [*_platforms(limits, locks), *(_of_request(limits, request) if request is not None else ())]
    return tuple(sorted((*whole, *merged), key=lambda item: (item.rule, item.package, item.message)))


def _of_packages(limits: Limits, packages: Iterable[Package], now: int) -> Iterator[Violation]:
    for package in packages:
        for check in (_banned, _license):
            yield from check(limits, package)
        yield from _age(limits, package, now)


def _banned(limits: Limits, package: Package) -> Iterator[Violation]:
    for banned in limits.banned:
        if is_meant(banned, package):
            message = f"`{package}` is banned by `{banned.text}`"
            yield Violation(
                rule="policy-banned", message=message, hint="ask for another package or version", package=package.name
            )


def is_meant(banned: Banned, package: Package) -> bool:
    """Whether a package is one of those that a text names."""
    if banned.name != normalized(package.name) or banned.manager not in ("", package.manager):
        return False
    if not banned.versions:
        return True
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(banned.versions).contains(Version(package.version), prereleases=True)
    except InvalidVersion:  # a version that cannot be compared may be one of them
        return True


def _license(limits: Limits, package: Package) -> Iterator[Violation]:
    if not limits.licenses and not limits.banned_licenses:
        return
    hint = "ask its owners, then write an exemption for it with the reason"
    if not package.license:
        message = f"`{package}` states no licence"
        yield Violation(rule="policy-license", message=message, hint=hint, package=package.name)
        return
    allowed = {text.lower() for text in limits.licenses}
    banned = {text.lower() for text in limits.banned_licenses}
    if not allows(package.license, lambda text: text not in banned and (not allowed or text in allowed)):
        message = f"`{package}` has the licence `{package.license}`, which may not be used"
        yield Violation(rule="policy-license", message=message, hint=hint, package=package.name)


def _age(limits: Limits, package: Package, now: int) -> Iterator[Violation]:
    if not limits.minimum_age:
        return
    wait = f"packages must be {limits.minimum_age} days old: wait, or lock with `exclude-newer`"
    if package.timestamp is None:
        message = f"nobody says when `{package}` was published"
        yield Violation(rule="policy-age", message=message, hint=wait, package=package.name)
    elif now - package.timestamp < limits.minimum_age * _DAY:
        days = max(0, (now - package.timestamp) // _DAY)
        message = f"`{package}` was published {days} days ago"
        yield Violation(rule="policy-age", message=message, hint=wait, package=package.name)


def _of_lock(limits: Limits, lock: Lock) -> Iterator[Violation]:
    if limits.pythons and lock.python and lock.python not in limits.pythons:
        message = f"Python {lock.python} may not be used"
        yield Violation(rule="policy-python", message=message, hint=f"one of {_listed(limits.pythons)}")
    if limits.maximum_size is not None:
        yield from _size(limits.maximum_size, lock.packages)


def _size(limit: int, packages: Sequence[Package]) -> Iterator[Violation]:
    known = [package for package in packages if package.size is not None]
    total = sum(package.size or 0 for package in known)
    heaviest = sorted(known, key=lambda package: (-(package.size or 0), package.key))[:3]
    if total > limit:
        named = ", ".join(f"`{package.name}` {(package.size or 0) / 1e6:.1f} MB" for package in heaviest)
        message = f"its packages weigh {total / 1e6:.1f} MB, and {limit / 1e6:.1f} MB are allowed"
        yield Violation(rule="policy-size", message=message, hint=f"the heaviest are {named}")
    elif len(known) < len(packages):
        unknown = next(package for package in packages if package.size is None)
        message = f"nobody says how big {len(packages) - len(known)} of its packages are"
        yield Violation(rule="policy-size", message=message, hint=f"one of them is `{unknown.name}`")


def _platforms(limits: Limits, locks: Mapping[str, Lock]) -> Iterator[Violation]:
    for platform in limits.platforms:
        if platform not in {*locks, *map(base_platform, locks)}:
            message = f"it has no lock for `{platform}`, which is required"
            yield Violation(rule="policy-platform", message=message, hint="add it to `platforms`, then `envtag lock`")


def _of_request(limits: Limits, request: Request) -> Iterator[Violation]:
    yield from _outside("policy-channel", "channel", request.every_channel, limits.channels)
    yield from _outside("policy-index", "index", request.indices, limits.indices)
    if limits.pinned_python and not _is_pinned(request):
        message = "Python is not pinned to a minor version"
        yield Violation(rule="policy-python", message=message, hint='write `python: "3.12"` in `envtag.yml`')


def _outside(rule: str, what: str, urls: Iterable[str], allowed: tuple[str, ...]) -> Iterator[Violation]:
    if allowed:
        for url in dict.fromkeys(url.rstrip("/") for url in urls):
            if url not in allowed:
                yield Violation(
                    rule=rule, message=f"the {what} `{url}` may not be used", hint=f"one of {_listed(allowed)}"
                )


def _is_pinned(request: Request) -> bool:
    """Whether what is asked for leaves one minor version of Python."""
    tests: list[Callable[[], bool]] = [lambda: _is_one_minor(request.python)]
    tests += [
        lambda version=item.version: _CONDA_PIN.fullmatch(version) is not None or _is_one_minor(version)  # type: ignore[misc]
        for item in request.conda
        if item.name == "python" and item.platforms is None
    ]
    return request.base is not None or any(test() for test in tests)


@lru_cache
def _is_one_minor(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(text)
    except InvalidSpecifier:
        return False
    minors = [f"{major}.{minor}" for major in (2, 3) for minor in range(40)]
    return sum(any(allowed.contains(f"{minor}.{micro}") for micro in (*range(30), 99)) for minor in minors) == 1


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
