"""The record of a build: which wheel was built of which source, and with what; provenance for whoever asks later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.manifest import Build, build_in
from envtag.util.canonical import canonical_json

if TYPE_CHECKING:
    from envtag.package import Package

_VERSION = 1
_KEYS = frozenset({"version", "source", "wheel", "platform", "python", "made"})
_SOURCE = frozenset({"name", "version", "sha256", "url"})
_MADE = frozenset({"platform", "python", "libc", "backend", "requires", "tools"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a wheel was made; no clock, host, user or path is in it.

    Attributes:
        platform: The platform of the machine that built it.
        python: The exact version of the Python that built it (`3.11.7`).
        libc: The C library of that machine (`glibc 2.36`), empty where there is none to name.
        backend: The build backend that the source names (`setuptools.build_meta`), empty where it names none.
        requires: What the build was given, `NAME==VERSION`, sorted; empty where it is not known.
        tools: Program to version: `envtag` and `uv`.
    """

    platform: str
    python: str
    libc: str = ""
    backend: str = ""
    requires: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """That a source archive was built for a platform and a minor version of Python.

    Attributes:
        name: The package's normalized name.
        version: Its version, as the lock has it.
        sha256: 64 hex digits of the source archive.
        url: Its canonical URL.
        wheel: What came of it.
        platform: The platform that the wheel is for.
        python: The minor version of Python that it is for (`3.11`).
        made: How it was made.
    """

    name: str
    version: str
    sha256: str
    url: str
    wheel: Build
    platform: str
    python: str
    made: Provenance

    def is_of(self, source: Package, platform: str, python: str) -> bool:
        """Whether it is about this source, for this platform and Python."""
        stated = (self.name, self.version, self.sha256, self.platform, self.python)
        return stated == (source.name, source.version, source.sha256, platform, python)

    @property
    def pure(self) -> bool:
        """Whether the wheel is for every platform."""
        return self.wheel.filename.endswith("-none-any.whl")

    def to_bytes(self) -> bytes:
        """The record's bytes: canonical JSON and a newline."""
        made = self.made
        document = {
            "version": _VERSION,
            "source": {"name": self.name, "version": self.version, "sha256": self.sha256, "url": self.url},
            "wheel": self.wheel.document(),
            "platform": self.platform,
            "python": self.python,
            "made": {
                "platform": made.platform,
                "python": made.python,
                "libc": made.libc,
                "backend": made.backend,
                "requires": list(made.requires),
                "tools": dict(made.tools),
            },
        }
        return canonical_json(document) + b"\n"


def parse(data: bytes, where: str) -> BuildRecord:
    """Read a record.

    Raises:
        FatalError: It is not a record of a known version, or is malformed.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a record of a build of version {_VERSION}", "a newer envtag may read it")
    source = _table(document, "source", _SOURCE, where)
    made = _table(document, "made", _MADE, where)
    tools, requires = made["tools"], made["requires"]
    texts = [*source.values(), document.get("platform"), document.get("python"), *_texts(made)]
    if (
        set(document) != _KEYS
        or not isinstance(tools, dict)
        or not isinstance(requires, list)
        or not all(isinstance(text, str) for text in [*texts, *tools.values(), *requires])
    ):
        raise FatalError(f"{where}: a malformed record of a build")
    return BuildRecord(
        **source,
        wheel=build_in(document["wheel"], where),
        platform=document["platform"],
        python=document["python"],
        made=Provenance(**{**made, "requires": tuple(requires)}),
    )


def _table(document: Mapping[str, Any], key: str, keys: frozenset[str], where: str) -> dict[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict) or set(value) != keys:
        raise FatalError(f"{where}: `{key}` has not exactly {', '.join(f'`{name}`' for name in sorted(keys))}")
    return value


def _texts(made: Mapping[str, Any]) -> list[Any]:
    return [value for key, value in made.items() if key not in ("requires", "tools")]
