"""requirements.txt: PyPI requirements, includes, constraints and options, as pip's file format has them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from envtag.errors import FatalError
from envtag.request import Origin
from envtag.spec.model import Part, SpecFile, decode, located, refused
from envtag.spec.pip_lines import PipLines
from envtag.spec.pip_options import read_options
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
    return reader.lines.part()


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
        self.lines = PipLines()
        self._seen: set[tuple[str, bool]] = set()

    def read(self, file: SpecFile, *, constraint: bool, above: tuple[str, ...]) -> None:
        self._seen.add((file.name, constraint))
        for origin, line in _statements(file):
            if not line.startswith("-"):
                self.lines.requirement(origin, line, constraint=constraint)
                continue
            for option, value in read_options(origin, line):
                if option in ("requirement", "constraint"):
                    self._include(origin, option, value, constraint=constraint, above=(*above, file.name))
                else:
                    self.lines.option(origin, line, option, value)

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
