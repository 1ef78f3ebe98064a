"""requirements.txt: PyPI requirements, includes, constraints and indices, as pip's file format has them."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from types import MappingProxyType

from envtag.errors import FatalError
from envtag.request import Origin, PypiRequirement
from envtag.spec.model import Part, Placed, SpecFile, decode, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.urls import check_public

ReadInclude = Callable[[str], bytes]

_OPTIONS = MappingProxyType(
    {
        "-i": "index-url",
        "--index-url": "index-url",
        "--extra-index-url": "extra-index-url",
        "-r": "requirement",
        "--requirement": "requirement",
        "-c": "constraint",
        "--constraint": "constraint",
    }
)
_LOCK_DECIDES = ("locks take wheels, and all their hashes, by themselves", "remove the option")
_REFUSED = MappingProxyType(
    {
        "-e": ("an editable install has no hash", "publish it as a wheel, and name its URL or version"),
        "--editable": ("an editable install has no hash", "publish it as a wheel, and name its URL or version"),
        "-f": ("what is behind links differs between machines", "use `--index-url` or `name @ URL`"),
        "--find-links": ("what is behind links differs between machines", "use `--index-url` or `name @ URL`"),
        "--hash": ("hashes come from the lock", "remove it: every locked file has its hash"),
        "--no-index": ("a lock needs an index", "use `--index-url`"),
        "--no-binary": _LOCK_DECIDES,
        "--only-binary": _LOCK_DECIDES,
        "--prefer-binary": _LOCK_DECIDES,
        "--require-hashes": _LOCK_DECIDES,
        "--pre": ("pre-releases are asked for by package", "write a bound with one, as in `name>=2.0rc1`"),
        "--trusted-host": ("trust is the client's business, not the environment's", "set it where envtag runs"),
        "--config-settings": ("built from source: not yet lockable by hash", "remove the option"),
        "--global-option": ("built from source: not yet lockable by hash", "remove the option"),
    }
)
_COMMENT = re.compile(r"(^|\s+)#.*$")
_TRAILING_OPTION = re.compile(r"\s(--?[a-z][a-z-]*)")
_FILES_LIMIT = 200


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
    return Part(
        pypi=tuple(reader.pypi), index_urls=tuple(reader.index_urls), extra_index_urls=tuple(reader.extra_index_urls)
    )


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
            for option, value in _options(origin, line):
                if option in ("requirement", "constraint"):
                    found[_include_path(origin, value)] = None
    return list(found)


class _Reader:
    """Collects from a file and its includes."""

    def __init__(self, read_include: ReadInclude | None) -> None:
        self.read_include = read_include
        self.pypi: list[PypiRequirement] = []
        self.index_urls: list[Placed] = []
        self.extra_index_urls: list[Placed] = []
        self._seen: set[tuple[str, bool]] = set()

    def read(self, file: SpecFile, *, constraint: bool, above: tuple[str, ...]) -> None:
        self._seen.add((file.name, constraint))
        for origin, line in _statements(file):
            if not line.startswith("-"):
                self.pypi.append(_requirement(origin, line, constraint=constraint))
                continue
            for option, value in _options(origin, line):
                if option in ("requirement", "constraint"):
                    self._include(origin, option, value, constraint=constraint, above=(*above, file.name))
                    continue
                with located(origin, line):
                    placed = Placed(value=check_public(value, "index"), origin=origin)
                (self.index_urls if option == "index-url" else self.extra_index_urls).append(placed)

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
            yield Origin(file=file.name, line=start), line


def _options(origin: Origin, line: str) -> Iterator[tuple[str, str]]:
    """The options of a line and their values: `--name value`, `--name=value`, `-n value`, `-nvalue`."""
    if "${" in line:
        reason = "variables are not expanded: a lock is the same on every machine"
        raise refused(origin, line, reason, "write the value")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise refused(origin, line, f"its quotes do not match: {error}") from error
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            flag, _, value = word.partition("=")
        else:
            flag, value = word[:2], word[2:]
        if flag not in _OPTIONS:
            raise _unknown(origin, line, flag)
        if not value:
            if not words:
                raise refused(origin, line, f"`{flag}` needs a value")
            value = words.pop(0)
        yield _OPTIONS[flag], value


def _unknown(origin: Origin, line: str, flag: str) -> FatalError:
    known = ", ".join(f"`{name}`" for name in _OPTIONS)
    reason, hint = _REFUSED.get(
        flag, ("it is not an option of a requirements file that envtag knows", f"known: {known}")
    )
    return refused(origin, line, f"`{flag}`: {reason}" if flag.startswith("-") else f"{flag!r} is no option", hint)


def _requirement(origin: Origin, line: str, *, constraint: bool) -> PypiRequirement:
    try:
        return parse_requirement(line, origin, constraint=constraint)
    except FatalError:
        option = _TRAILING_OPTION.search(line)
        if option is not None and option[1] in _REFUSED:
            raise _unknown(origin, line, option[1]) from None
        raise


def _include_path(origin: Origin, value: str) -> str:
    """An included file's path relative to the first file's directory; never outside of it."""
    absolute = value.startswith(("/", "~")) or re.match(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]+://", value)
    if absolute or "\\" in value or ".." in value.split("/"):
        reason = "only files beside it or below can be included"
        raise refused(origin, value, reason, "copy the file there, and name it by its relative path")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin.file), value))
    if path == "." or value.endswith("/"):
        raise refused(origin, value, "it is not a file")
    return path
