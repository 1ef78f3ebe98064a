"""The record in the message of an annotated tag: what was released, for machines to check and people to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from envtag.errors import FatalError
from envtag.names import Alias
from envtag.platforms import check_platform
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.pattern import pattern

_FORMAT = 1
_KEYS = frozenset({"version", "name", "tag", "request", "locks", "manifests"})
_ID = pattern(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "the tag was not made by this envtag: do not use it before its owners have looked at it"


class TagRecord(NamedTuple):
    """What an immutable tag stands for.

    Attributes:
        name: The environment's name.
        tag: An immutable tag.
        request: The request id (40 hex digits).
        locks: Platform to lock id (40 hex digits).
        manifests: Platform to SHA-256 of its manifest (64 hex digits); the platforms of `locks`.
    """

    name: str
    tag: str
    request: str
    locks: Mapping[str, str]
    manifests: Mapping[str, str]

    def message(self) -> str:
        """The tag's message: `NAME:TAG`, an empty line, and one line of canonical JSON."""
        return f"{self.name}:{self.tag}\n\n{self._json().decode()}\n"

    @property
    def digest(self) -> str:
        """`sha256:` and the SHA-256 of the record's canonical JSON."""
        return f"sha256:{sha256_hex(self._json())}"

    @classmethod
    def parse(cls, message: str, where: str) -> TagRecord:
        """Read a tag's message; a signature after the record is let be.

        Args:
            message: The whole message of the tag object.
            where: The tag, for errors.

        Raises:
            FatalError: It has no record, a record of another version, or one that envtag would not write.
        """
        text = message.partition("-----BEGIN ")[0]
        lines = text.rstrip("\n").split("\n")
        if len(lines) != 3 or lines[1] or not lines[2].startswith("{"):  # noqa: PLR2004 - subject, blank, record
            raise FatalError(f"{where}: its message holds no record of a release", _HINT)
        try:
            document = json.loads(lines[2])
        except ValueError as error:
            raise FatalError(f"{where}: its record is not JSON: {error}", _HINT) from error
        if document.get("version") != _FORMAT:
            raise FatalError(
                f"{where}: record version `{document.get('version')}` is not one that this envtag reads",
                f"it reads version {_FORMAT}: use a newer envtag",
            )
        record = _checked(document, where)
        if record.message() != text.rstrip("\n") + "\n":
            raise FatalError(f"{where}: its message is not the canonical text of its record", _HINT)
        return record

    def _json(self) -> bytes:
        return canonical_json(
            {
                "version": _FORMAT,
                "name": self.name,
                "tag": self.tag,
                "request": self.request,
                "locks": dict(self.locks),
                "manifests": dict(self.manifests),
            }
        )


def _checked(document: dict[str, Any], where: str) -> TagRecord:
    if set(document) != _KEYS:
        odd = min(set(document) ^ _KEYS)
        raise FatalError(
            f"{where}: its record {'has an unknown' if odd in document else 'lacks the'} key `{odd}`", _HINT
        )
    name, tag = (_matching(document[key], re.compile(r".+"), f"`{key}`", where) for key in ("name", "tag"))
    if Alias(name=name, tag=tag).mutable:
        raise FatalError(f"{where}: its record is of `{tag}`, which is a mutable tag", _HINT)
    locks = _platforms(document["locks"], _ID, "locks", where)
    manifests = _platforms(document["manifests"], _SHA256, "manifests", where)
    if set(locks) != set(manifests):
        odd = min(set(locks) ^ set(manifests))
        raise FatalError(f"{where}: its record has {odd} in only one of `locks` and `manifests`", _HINT)
    request = _matching(document["request"], _ID, "`request`", where)
    return TagRecord(name=name, tag=tag, request=request, locks=locks, manifests=manifests)


def _platforms(value: Any, pattern: re.Pattern[str], key: str, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise FatalError(f"{where}: `{key}` of its record is not a table of platforms", _HINT)
    return {
        check_platform(name): _matching(item, pattern, f"`{key}` for {name}", where) for name, item in value.items()
    }


def _matching(value: Any, pattern: re.Pattern[str], what: str, where: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise FatalError(f"{where}: {what} of its record is malformed: `{value}`", _HINT)
    return value
