"""What a verification finds: broken links, remarks, and how much was looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from envtag.errors import FatalError, UnreachableError

if TYPE_CHECKING:
    from envtag.names import Alias

_Result = TypeVar("_Result")
_TAMPERED = "do not use it before the registry's owners have looked at it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken link.

    Attributes:
        alias: Whose chain is broken: `NAME:TAG`, or the path of a prefix.
        platform: On which platform; empty where it is broken for all.
        link: `tag`, `record`, `signature`, `commit`, `ledger`, `lock`, `manifest`, `object`, `replica`, `pointer` or
            `memory`; of a prefix `marker`, `package` or `file`.
        subject: What is wrong: a ref, a file, a key.
        expected: What it should be.
        found: What it is.
        hint: What to do, where something is known to help.
    """

    alias: str
    platform: str
    link: str
    subject: str
    expected: str
    found: str
    hint: str = ""

    def line(self) -> str:
        """The finding in one line."""
        who = f"{self.alias} {self.platform}" if self.platform else self.alias
        return f"{who}: {self.link} {self.subject}: expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Report:
    """What was found so far.

    Attributes:
        findings: The broken links.
        notes: What is worth knowing and breaks nothing.
        releases: Released tags that were checked.
        pointers: Mutable tags that were checked.
        manifests: Manifests that were checked.
        objects: Packages that were looked for in the store.
        hashed: Bytes that were read and hashed.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    releases: int = 0
    pointers: int = 0
    manifests: int = 0
    objects: int = 0
    hashed: int = 0

    def broken(
        self,
        alias: Alias,
        link: str,
        subject: str,
        *,
        expected: str,
        found: str,
        platform: str = "",
        hint: str = _TAMPERED,
    ) -> None:
        """Add a broken link."""
        name = f"{alias.name}:{alias.tag}"
        self.findings.append(
            Finding(
                alias=name, platform=platform, link=link, subject=subject, expected=expected, found=found, hint=hint
            )
        )

    def differing(
        self, alias: Alias, link: str, subject: str, expected: Mapping[str, str], found: Mapping[str, str]
    ) -> bool:
        """Add a broken link for each platform on which two tables differ; whether there was one."""
        odd = [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]
        for name in odd:
            self.broken(
                alias, link, subject, platform=name,
                expected=expected.get(name, "nothing"), found=found.get(name, "nothing"),
            )  # fmt: skip
        return bool(odd)

    def tried(
        self, call: Callable[[], _Result], alias: Alias, link: str, subject: str, *, expected: str, platform: str = ""
    ) -> _Result | None:
        """What a call returns; None where it is refused, which is a broken link then.

        Raises:
            UnreachableError: A remote cannot be reached, which says nothing about the link.
        """
        try:
            return call()
        except UnreachableError:
            raise
        except FatalError as error:
            hint = error.hint or _TAMPERED
            self.broken(alias, link, subject, platform=platform, expected=expected, found=error.message, hint=hint)
            return None
