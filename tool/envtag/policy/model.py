"""What a policy says, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

#: The rules that an exemption may name; what makes releases immutable has none.
RULES = (
    "policy-age", "policy-banned", "policy-channel", "policy-index", "policy-license", "policy-platform",
    "policy-python", "policy-size",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Banned:
    """A package that may not be used.

    Attributes:
        text: As it is written.
        name: Its name, lower case, with `-` for `_` and `.`.
        manager: `conda`, `pypi`, or empty for both.
        versions: A PEP 440 specifier of the versions that are meant, empty for all.
    """

    text: str
    name: str
    manager: str = ""
    versions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for one environment; an empty or missing value allows everything.

    Attributes:
        channels: The canonical channels that may be used.
        indices: The indices that may be used; the default index is always one of them.
        hosts: Further hosts that packages may come from (`host` or `host:port`).
        banned: The packages that may not be used.
        licenses: The licences (SPDX ids, or texts as channels write them) that may be used.
        banned_licenses: The licences that may not be used.
        minimum_age: How many days ago a package must have been published.
        maximum_size: How many bytes the packages of one platform may weigh together.
        platforms: The platforms that must be locked for.
        pinned_python: Whether the request must name one minor version of Python.
        pythons: The minor versions of Python that may be used.
    """

    channels: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    banned: tuple[Banned, ...] = ()
    licenses: tuple[str, ...] = ()
    banned_licenses: tuple[str, ...] = ()
    minimum_age: int = 0
    maximum_size: int | None = None
    platforms: tuple[str, ...] = ()
    pinned_python: bool = False
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A rule that does not hold for somebody for some time.

    Attributes:
        rule: One of `RULES`.
        environment: An environment's name, or what names of several begin with.
        package: Name of the package that it is about, empty for all.
        reason: Why.
        expires: The last day on which it holds.
    """

    rule: str
    environment: str
    package: str
    reason: str
    expires: date

    def covers(self, rule: str, environment: str, package: str) -> bool:
        """Whether it is about a finding, whatever day it is."""
        named = self.package in ("", normalized(package)) if package else not self.package
        return self.rule == rule and named and is_below(environment, self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy of a registry.

    Attributes:
        limits: What holds for every environment.
        namespaces: The beginning of names to the keys that are set anew for it.
        exemptions: In the order in which they are written.
    """

    limits: Limits = field(default_factory=Limits)
    namespaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()

    def limits_of(self, environment: str) -> Limits:
        """What holds for an environment: the registry's limits, then those of each namespace around it, inward."""
        limits = self.limits
        for name in sorted(self.namespaces, key=len):
            if is_below(environment, name):
                limits = replace(limits, **self.namespaces[name])
        return limits

    def exemption(self, rule: str, environment: str, package: str, today: date) -> tuple[Exemption | None, bool]:
        """The exemption for a finding, and whether it holds today; one that holds goes before one that expired."""
        found = [item for item in self.exemptions if item.covers(rule, environment, package)]
        best = max(found, key=lambda item: item.expires, default=None)
        return best, best is not None and today <= best.expires


def is_below(environment: str, prefix: str) -> bool:
    """Whether a name is another one or in the namespace of it."""
    return environment == prefix or environment.startswith(f"{prefix}/")


def normalized(name: str) -> str:
    """A package's name as policies compare it: lower case, `-` for `_` and `.` (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
