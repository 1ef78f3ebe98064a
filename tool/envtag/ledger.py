"""The ledger, `tags.yml`: what each immutable tag was released with, and what `stable` and `candidate` point at.

    version: 1
    releases:
    - {tag: v5, request: <40 hex>, locks: {linux-64: <40 hex>, osx-arm64: <40 hex>}}
    pointers:
      stable: v5

Releases are only ever appended, one line each; a pointer is one line, so that moving it is a one-line pull request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from envtag.errors import AliasExistsError, FatalError
from envtag.names import MUTABLE_TAGS, parse_tag
from envtag.platforms import check_platform
from envtag.util.pattern import pattern
from envtag.util.yaml_text import scalar

if TYPE_CHECKING:
    from envtag.util.yaml_table import Table

POINTERS = ("stable", "candidate")
_FORMAT = "1"
_ID = pattern(r"[0-9a-f]{40}")
#: What YAML 1.1 or 1.2 readers may take for a number among texts of hex digits: decimal, `12e34`, and `0b01`.
_NUMBER = pattern(r"[0-9]*e?[0-9]*|0b[01]*")
#: Bytes of a ledger that is worth being read without YAML: some ten thousand releases.
_SMALL = 1_000_000
#: The lines of `to_bytes`; what they hold is checked apart.
_RELEASE = pattern(r"- \{tag: (?P<tag>\S+), request: (?P<request>\S+), locks: \{(?P<locks>\S+: \S+(?:, \S+: \S+)*)\}\}")
_POINTER = pattern(r"  (?P<name>[a-z]+): (?P<tag>\S+)")


class Release(NamedTuple):
    """What one immutable tag was released with.

    Attributes:
        tag: An immutable tag.
        request: The request id.
        locks: Platform to lock id; at least one.
    """

    tag: str
    request: str
    locks: Mapping[str, str]


class Ledger(NamedTuple):
    """The releases of one environment in the order they were made, and its pointers.

    Attributes:
        releases: Each tag once.
        pointers: `stable` or `candidate` to the tag of one of `releases`.
    """

    releases: tuple[Release, ...] = ()
    pointers: Mapping[str, str] = {}

    @classmethod
    def parse(cls, data: bytes, where: str) -> Ledger:
        """Read a ledger.

        Args:
            data: Content of a `tags.yml`.
            where: Its path, for errors.

        Raises:
            FatalError: It is malformed, or its parts contradict each other; names file and line.
        """
        written = _as_written(data)
        if written is not None:
            return written
        from envtag.util.yaml_table import load_table

        document = load_table(data, where)
        document.check_version(_FORMAT)
        document.check_keys(("version", "releases", "pointers"))
        releases: dict[str, Release] = {}
        for entry in document.tables("releases"):
            release = _release(entry)
            if release.tag in releases:
                raise FatalError(
                    f"{entry.at('tag')}: the tag `{release.tag}` is released twice",
                    "a tag has one line: remove the later",
                )
            releases[release.tag] = release
        pointers = document.table("pointers")
        pointers.check_keys(POINTERS)
        for pointer in pointers:
            tag = _typed(pointers, pointer)
            if tag not in releases:
                raise FatalError(
                    f"{pointers.at(pointer)}: `{pointer}` points at `{tag}`, which is not released", _released(releases)
                )
        return cls(
            releases=tuple(releases.values()), pointers={str(key): str(value) for key, value in pointers.items()}
        )

    def to_bytes(self) -> bytes:
        """The ledger as YAML, of which `parse` is the inverse: one line a release, one line a pointer."""
        return ("\n".join(self._lines()) + "\n").encode()

    def release(self, tag: str) -> Release | None:
        """The release of a tag, or None."""
        return next((item for item in self.releases if item.tag == tag), None)

    def with_release(self, release: Release, name: str = "") -> Ledger:
        """A ledger that has a release; this one if it has it already.

        Args:
            release: What to append.
            name: The environment's name, for the error.

        Raises:
            AliasExistsError: The tag is released with other content.
        """
        present = self.release(release.tag)
        if present is None:
            return self._replace(releases=(*self.releases, release))
        if (present.request, dict(present.locks)) == (release.request, dict(release.locks)):
            return self
        alias = f"{name}:{release.tag}" if name else release.tag
        raise AliasExistsError(
            f"Alias already exists: `{alias}` is released with other content", "take a tag that is not in use"
        )

    def with_pointer(self, pointer: str, tag: str) -> Ledger:
        """A ledger whose pointer points at a release.

        Args:
            pointer: `stable` or `candidate`.
            tag: The tag of one of `releases`.

        Raises:
            FatalError: It is no pointer, or there is no such release.
        """
        if pointer not in POINTERS:
            raise FatalError(f"`{pointer}` is not a tag that points at a release", f"one of {_listed(POINTERS)}")
        if self.release(tag) is None:
            raise FatalError(f"`{tag}` is not released", _released({item.tag: item for item in self.releases}))
        return self._replace(pointers={**self.pointers, pointer: tag})

    def _lines(self) -> Iterator[str]:
        yield f"version: {_FORMAT}"
        yield "releases:" if self.releases else "releases: []"
        for release in self.releases:
            locks = ", ".join(f"{platform}: {_id_text(lock)}" for platform, lock in sorted(release.locks.items()))
            yield f"- {{tag: {scalar(release.tag)}, request: {_id_text(release.request)}, locks: {{{locks}}}}}"
        yield "pointers:" if self.pointers else "pointers: {}"
        for pointer, tag in sorted(self.pointers.items()):
            yield f"  {pointer}: {scalar(tag)}"


def _as_written(data: bytes) -> Ledger | None:
    """A ledger of exactly the bytes that `to_bytes` gives, for which no YAML parser is loaded; None for any other."""
    if len(data) > _SMALL:
        return None
    releases: dict[str, Release] = {}
    pointers: dict[str, str] = {}
    try:
        for line in data.decode().splitlines():
            if release := _RELEASE.fullmatch(line):
                pairs = (pair.split(": ") for pair in release["locks"].split(", "))
                locks = {check_platform(platform): _bare(lock) for platform, lock in pairs}
                tag = parse_tag(_bare(release["tag"]))
                releases[tag] = Release(tag=tag, request=_bare(release["request"]), locks=locks)
            elif pointer := _POINTER.fullmatch(line):
                pointers[pointer["name"]] = _bare(pointer["tag"])
    except (FatalError, ValueError):
        return None
    ledger = Ledger(releases=tuple(releases.values()), pointers=pointers)
    ids = (text for release in ledger.releases for text in (release.request, *release.locks.values()))
    legal = (
        releases.keys().isdisjoint(MUTABLE_TAGS)
        and releases.keys() >= {*pointers.values()}
        and {*POINTERS} >= pointers.keys()
        and all(_ID.fullmatch(text) for text in ids)
    )
    return ledger if legal and ledger.to_bytes() == data else None


def _bare(text: str) -> str:
    return text[1:-1] if text[:1] == text[-1:] == "'" else text


def _release(entry: Table) -> Release:
    entry.check_keys(("tag", "request", "locks"))
    tag = _typed(entry, "tag")
    try:
        parse_tag(tag)
    except FatalError as error:
        raise FatalError(f"{entry.at('tag')}: {error.message}", error.hint) from error
    if tag in MUTABLE_TAGS:
        raise FatalError(f"{entry.at('tag')}: `{tag}` is a mutable tag and is never released", "remove this line")
    locks = entry.table("locks")
    if not locks:
        raise FatalError(f"{entry.at('locks')}: the release `{tag}` has no locks")
    for platform in locks:
        _check_platform(locks, platform)
    return Release(tag=tag, request=_id(entry, "request"), locks={platform: _id(locks, platform) for platform in locks})


def _check_platform(locks: Table, platform: str) -> None:
    try:
        check_platform(platform)
    except FatalError as error:
        raise FatalError(f"{locks.at(platform)}: {error.message}", error.hint) from error


def _id(table: Table, key: str) -> str:
    text = _typed(table, key)
    if not _ID.fullmatch(text):
        raise FatalError(
            f"{table.at(key)}: `{key}` is `{text}`, which is not an id", "an id is 40 lower-case hex digits"
        )
    return text


def _typed(table: Table, key: str) -> str:
    """A text that every YAML reader takes for text."""
    from envtag.util.yaml_table import Untyped

    value = table.text(key)
    if isinstance(table[key], Untyped):
        raise FatalError(
            f"{table.at(key)}: `{key}: {value}` is a number or a date to YAML", f'write `{key}: "{value}"`'
        )
    return value


def _id_text(text: str) -> str:
    return f"'{text}'" if _NUMBER.fullmatch(text) else text


def _released(releases: Mapping[str, Release]) -> str:
    return f"released are {_listed(tuple(releases))}" if releases else "nothing is released yet"


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
