"""requirements.txt: PyPI requirements, includes, constraints and options, as pip's file format has them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from envtag.errors import FatalError
from envtag.request import Login, Origin, PypiRequirement
from envtag.spec.logins import take_login
from envtag.spec.model import MalformedError, Part, Placed, SpecFile, decode, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.spec.pip_options import format_names, read_options, sha256_hashes, split_requirement
from envtag.urls import check_public
from envtag.util.pattern import pattern

ReadInclude = Callable[[str], bytes]

_COMMENT = pattern(r"(^|\s+)#.*$")
_FILES_LIMIT = 200
_LIMIT = 10_000


def parse_requirements(file: SpecFile, read_include: ReadInclude | None) -> Part:
    """Read a requirements file and all that it includes.

    Args:
        file: The file.
        read_include: Gives the bytes of an included file by its path relative to the first file's directory;
            None where nothing can be included.

    Raises:
        FatalError: A file is malformed, not there, includes itself, or asks for what a lock cannot hold.
    """
    reader = _Reader(read_include)
    reader.read(file, constraint=False, above=())
    return reader.part()


def includes(file: SpecFile) -> list[str]:
    """The files that `-r` and `-c` of a requirements file name, relative to the first file's directory.

    Other kinds of specs include nothing.

    Args:
        file: The file; for an included one, with its own relative path as name.

    Raises:
        FatalError: An option is malformed, or names a file outside of the directory.
    """
    if file.name.lower().endswith((".yml", ".yaml", ".toml")):
        return []
    found: dict[str, None] = {}
    for origin, line in _statements(file):
        if line.startswith("-"):
            for option, value in read_options(origin, line):
                if option in ("requirement", "constraint"):
                    found[_include_path(origin, value)] = None
    return list(found)


class _Reader:
    """Collects from a file and its includes."""

    def __init__(self, read_include: ReadInclude | None) -> None:
        self.read_include = read_include
        self.pypi: list[PypiRequirement] = []
        self.options: list[tuple[str, Placed]] = []
        self.logins: list[Login] = []
        self._seen: set[tuple[str, bool]] = set()

    def part(self) -> Part:
        """What was read."""
        return Part(
            pypi=tuple(self.pypi),
            index_urls=tuple(placed for name, placed in self.options if name == "index-url"),
            extra_index_urls=tuple(placed for name, placed in self.options if name == "extra-index-url"),
            options=tuple(item for item in self.options if item[0] not in ("index-url", "extra-index-url")),
            logins=tuple(dict.fromkeys(self.logins)),
        )

    def read(self, file: SpecFile, *, constraint: bool, above: tuple[str, ...]) -> None:
        self._seen.add((file.name, constraint))
        for origin, line in _statements(file):
            if not line.startswith("-"):
                self.pypi.append(self._requirement(origin, line, constraint=constraint))
                continue
            for option, value in read_options(origin, line):
                if option in ("requirement", "constraint"):
                    self._include(origin, option, value, constraint=constraint, above=(*above, file.name))
                else:
                    with located(origin, line):
                        self._option(origin, option, value)

    def _option(self, origin: Origin, option: str, value: str) -> None:
        if option == "hash":
            raise MalformedError("no requirement stands before its `--hash`", "write both on one line")
        if option in ("index-url", "extra-index-url"):
            value = self._public(value, "index")
        elif option == "find-links":
            value = self._page(value)
        elif option in ("only-binary", "no-binary"):
            format_names(value)
        self.options.append((option, Placed(value=value, origin=origin)))

    def _page(self, value: str) -> str:
        if not re.match(r"https?://", value):
            raise MalformedError(
                "`--find-links` of a directory: it is not there on other machines",
                "put the files where everybody can fetch them, and name the page or each `NAME @ URL`",
            )
        return self._public(value, "page of links")

    def _public(self, text: str, what: str) -> str:
        url, login = take_login(text)
        self.logins += [login] if login is not None else []
        return check_public(url, what)

    def _requirement(self, origin: Origin, line: str, *, constraint: bool) -> PypiRequirement:
        text, hashes = split_requirement(origin, line)
        with located(origin, line):
            text, login = take_login(text)
            wanted = sha256_hashes(hashes)
        self.logins += [login] if login is not None else []
        return replace(parse_requirement(text, origin, constraint=constraint), hashes=wanted)

    def _include(self, origin: Origin, option: str, value: str, *, constraint: bool, above: tuple[str, ...]) -> None:
        if constraint and option == "requirement":
            raise refused(origin, f"-r {value}", "a constraints file cannot ask for packages", "use `-c`")
        name = _include_path(origin, value)
        if name in above:
            raise refused(origin, value, f"it includes itself: {' → '.join((*above, name))}", "remove the line")
        as_constraint = option == "constraint"
        if (name, as_constraint) in self._seen:
            return
        if self.read_include is None:
            raise refused(origin, value, "nothing can be included here", "write its lines into this file")
        if len(self._seen) >= _FILES_LIMIT:
            raise refused(origin, value, f"more than {_FILES_LIMIT} files are included")
        with located(origin, value):
            data = self.read_include(name)
        self.read(SpecFile(name=name, data=data), constraint=as_constraint, above=above)


def _statements(file: SpecFile) -> Iterator[tuple[Origin, str]]:
    """Logical lines without comments: a backslash at a line's end joins it with the next, unless in a comment."""
    parts: list[str] = []
    start = 1
    count = 0
    for number, raw in enumerate([*re.split(r"\r\n|\n|\r", decode(file)), ""], start=1):
        comment = raw.lstrip().startswith("#")
        start = start if parts else number
        if raw.endswith("\\") and not comment:
            parts.append(raw[:-1])
            continue
        parts.append(f" {raw}" if comment else raw)
        line = _COMMENT.sub("", "".join(parts)).strip()
        parts.clear()
        if line:
            count += 1
            if count > _LIMIT:
                raise FatalError(f"{file.name}:{start}: more than {_LIMIT} requirements and options")
            yield Origin(file=file.name, line=start), line


def _include_path(origin: Origin, value: str) -> str:
    """A file that is named relative to its includer, relative to the first file's directory; never outside of it."""
    absolute = value.startswith(("/", "~")) or re.match(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]+://", value)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin.file), value))
    if absolute or "\\" in value or path.startswith(".."):
        reason = "only files beside the first one or below can be included"
        raise refused(origin, value, reason, "copy the file there, and name it by its relative path")
    if path == "." or value.endswith("/"):
        raise refused(origin, value, "it is not a file")
    return path
