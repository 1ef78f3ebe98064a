"""What git objects say: tags and commits, from their bytes."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from envtag.errors import FatalError
from envtag.util.pattern import pattern

_PERSON = pattern(r"(?P<person>.*) (?P<seconds>-?\d+) [-+]\d{4}\Z", re.DOTALL)


class TagObject(NamedTuple):
    """An annotated tag.

    Attributes:
        sha: Name of the tag object itself.
        name: The name written inside it, which its ref should have.
        commit: The commit that it is on.
        tagger: `Name <mail>`.
        date: When it was made, `YYYY-MM-DDTHH:MM:SSZ`.
        message: Its text, to the end.
    """

    sha: str
    name: str
    commit: str
    tagger: str
    date: str
    message: str


class Commit(NamedTuple):
    """One commit of a history.

    Attributes:
        sha: Its name.
        author: `Name <mail>`.
        date: When it was written, `YYYY-MM-DDTHH:MM:SSZ`.
        subject: First line of its message.
    """

    sha: str
    author: str
    date: str
    subject: str


def parse_tag(sha: str, data: bytes, ref: str) -> TagObject:
    """Read a tag object.

    Args:
        sha: The object's name.
        data: Its bytes.
        ref: The ref that leads to it, for errors.

    Raises:
        FatalError: It is malformed, or is on something that is no commit.
    """
    head, _, message = data.decode("utf-8", "replace").partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
    person = _PERSON.match(fields.get("tagger", ""))
    if "object" not in fields or "tag" not in fields or person is None:
        raise FatalError(f"the tag `{ref}` is malformed", f"see `git cat-file -p {sha}`")
    if fields.get("type") != "commit":
        raise FatalError(f"the tag `{ref}` is on a {fields.get('type')}, and a commit is expected")
    return TagObject(
        sha=sha,
        name=fields["tag"],
        commit=fields["object"],
        tagger=person["person"],
        date=utc(int(person["seconds"])),
        message=message,
    )


def tree_names(sha: str, data: bytes) -> list[str]:
    """The names in a tree object, whose entries are `MODE NAME`, a NUL, and an object name in binary."""
    names = []
    start = 0
    while start < len(data):
        end = data.index(b"\0", start)
        names.append(data[start:end].partition(b" ")[2].decode("utf-8", "surrogateescape"))
        start = end + 1 + len(sha) // 2
    return names


def parse_log(data: bytes) -> list[Commit]:
    """Read what `git log -z --format=%H%x1f%an <%ae>%x1f%at%x1f%s` printed."""
    commits = []
    for entry in data.decode("utf-8", "replace").split("\0"):
        if entry:
            sha, author, seconds, subject = entry.split("\x1f", 3)
            commits.append(Commit(sha=sha, author=author, date=utc(int(seconds)), subject=subject))
    return commits


def utc(seconds: int) -> str:
    """Seconds since 1970 as `YYYY-MM-DDTHH:MM:SSZ`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
