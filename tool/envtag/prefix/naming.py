"""Files that name the prefix they lie in: which they are, how, and what they are in another prefix.

conda's records say which files were written with a prefix, and their hash before that: writing the placeholder back
gives the package's own bytes, or the file is not understood. Scripts name it where they begin. Records of packages
state hash and size of such files, and change with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from envtag.util.canonical import sha256_hex
from envtag.util.pattern import pattern

#: As long as the first line of a script may be for each kernel, and for the installers, that differ by a byte or two.
_FIRST_LINE = 120
_ANY_ROOM = 1000
_REWRITTEN = (b'"prefix_placeholder"', b'python_entry_point"')
#: What a shell or a kernel would take for more than a part of a path.
_SPECIAL = pattern(rb"[\s'\"\\$`]")
#: How a script of a wheel begins, by the length of its path.
_STARTS = (b"#!", b"#!/bin/sh\n'''exec' '")


class Change(NamedTuple):
    """A file that was rewritten: what records say of it before, and what they say of it then."""

    before: bytes
    after: bytes


class Naming(NamedTuple):
    """How files of a prefix name it.

    Attributes:
        kinds: Path to `text` (anywhere), `binary` (in texts that end with a zero) or `record` (states hash and size of
            such files); nothing for a file that is the same in each prefix.
        room: How many bytes the path of a prefix may have.
    """

    kinds: Mapping[str, str]
    room: int


def namings(prefix: Path, own: Mapping[str, bytes]) -> Naming | None:
    """How the files that were written for a prefix name it; None where one of them does so in an unknown way.

    Args:
        prefix: Its path.
        own: Path below it to content.
    """
    name = str(prefix).encode()
    kinds: dict[str, str] = {}
    room = _ANY_ROOM
    for path, (mode, placeholder, sha256) in _placeholders(own).items():
        if path not in own:
            continue  # it holds no placeholder after all, and was linked
        if sha256_hex(rewritten(own[path], name, placeholder, mode)) != sha256:
            return None
        kinds[path] = mode
        room = min(room, len(placeholder))
    for path, data in own.items():
        if path in kinds or name not in data:
            continue
        if not data.startswith(tuple(start + name + b"/" for start in _STARTS)) or data.count(name) != 1:
            return None
        kinds[path] = "text"
    records = _records(own, {path: data for path, data in own.items() if path in kinds})
    return None if records is None else Naming(kinds={**kinds, **dict.fromkeys(records, "record")}, room=room)


def fits(name: bytes, room: int) -> bool:
    """Whether the path of a prefix can be written into files as it is."""
    return len(name) <= room and _SPECIAL.search(name) is None


def rewritten(data: bytes, old: bytes, new: bytes, mode: str) -> bytes:
    """A file of one prefix as it is in another.

    Args:
        data: Its content.
        old: The path that it names.
        new: The path that it is to name.
        mode: `text`, or `binary`: then its length stays, and texts that end with a zero are filled up with zeros.
    """
    if mode == "text":
        return data.replace(old, new)
    parts = []
    start = 0
    while (found := data.find(old, start)) >= 0:
        end = data.find(b"\0", found)
        if end < 0:
            end = len(data)
        after = end
        while after < len(data) and data[after] == 0:
            after += 1
        parts += [data[start:found], data[found:end].replace(old, new).ljust(after - found, b"\0")]
        start = after
    return b"".join([*parts, data[start:]])


def runs(data: bytes) -> bool:
    """Whether a file is no script, or one whose first line every kernel reads in full."""
    return not data.startswith(b"#!") or len(data.partition(b"\n")[0]) <= _FIRST_LINE


def changes(before: bytes, after: bytes) -> tuple[Change, Change]:
    """What records of conda and of wheels say of a file."""
    return Change(_conda(before), _conda(after)), Change(_wheel(before), _wheel(after))


def _conda(data: bytes) -> bytes:
    return f'"{sha256_hex(data)}",\n        "size_in_bytes": {len(data)}'.encode()


def _wheel(data: bytes) -> bytes:
    import base64

    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256_hex(data))).rstrip(b"=").decode()
    return f",sha256={digest},{len(data)}".encode()


def _placeholders(own: Mapping[str, bytes]) -> dict[str, tuple[str, bytes, str]]:
    """Path to mode, placeholder and original hash of each file that was written with a prefix."""
    found = {}
    for record, data in own.items():
        if record.startswith("conda-meta/") and record.endswith(".json") and _REWRITTEN[0] in data:
            for item in json.loads(data)["paths_data"]["paths"]:
                if item.get("prefix_placeholder") and item.get("path_type") == "hardlink":
                    found[item["_path"]] = item["file_mode"], item["prefix_placeholder"].encode(), item["sha256"]
    return found


def _records(own: Mapping[str, bytes], named: Mapping[str, bytes]) -> set[str] | None:
    """The records that state hash and size of files; None where one of the files is in none."""
    told: dict[bytes, set[str]] = {}
    for path, data in named.items():
        for change in changes(data, data):
            told.setdefault(change.before, set()).add(path)
    states = re.compile(rb'"[0-9a-f]{64}",\n        "size_in_bytes": \d+|,sha256=[\w-]{43},\d+')
    records: set[str] = set()
    found: set[str] = set()
    for path, data in own.items():
        conda = path.startswith("conda-meta/") and path.endswith(".json") and any(word in data for word in _REWRITTEN)
        if conda or path.endswith(".dist-info/RECORD"):
            stated = set().union(*(told.get(text, ()) for text in states.findall(data)))
            found |= stated
            if stated:
                records.add(path)
    return records if found == named.keys() else None
