"""Locks of other tools, one module a format, behind a Protocol and one literal dict; read without solving."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from envtag.errors import FatalError
from envtag.importing.model import Choice, Entry, Imported, Reader, Source, check_size

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "Choice", "Entry", "Imported", "Reader", "Source", "format_of", "open_source", "reader"]

#: Format to the module that reads it; a module is imported when it is first asked for. Formats that can hold conda
#: packages come first: they say which Python the others are for.
FORMATS: Mapping[str, str] = {
    "conda-lock": "envtag.importing.conda_lock",
    "explicit": "envtag.importing.explicit",
    "netflixext": "envtag.importing.netflixext",
    "pixi": "envtag.importing.pixi",
    "prefix": "envtag.importing.prefix",
    "pylock": "envtag.importing.pylock",
    "uv-lock": "envtag.importing.uv_lock",
    "requirements": "envtag.importing.requirements",
}


#: What a file that is no lock may be, by how its name ends: the option of the spec.
_SPECS: Mapping[str, str] = {".yml": "-f", ".yaml": "-f", ".txt": "-r", ".in": "-r", ".toml": "-p"}


def reader(name: str) -> Reader:
    """The reader of a format.

    Raises:
        FatalError: There is none of that name.
    """
    if name not in FORMATS:
        known = ", ".join(f"`{known}`" for known in FORMATS)
        raise FatalError(f"`{name}` is not a format that envtag imports", f"one of {known}")
    return cast("Reader", importlib.import_module(FORMATS[name]))


def format_of(source: Source) -> str:
    """The format of a file, by its name and first lines.

    Raises:
        FatalError: It is of none that is known.
    """
    for name in FORMATS:
        if (name == "prefix") == source.path.is_dir() and reader(name).recognizes(source):
            return name
    hint = f"say which with `--from`: {', '.join(FORMATS)}"
    if not source.path.is_dir():
        option = _SPECS.get(source.path.suffix)
        hint += f"; a spec is given beside the lock, by `{option} {source.name}`" if option else ""
    raise FatalError(f"{source.name}: is of no format that is recognized", hint)


def open_source(path: Path) -> Source:
    """A file to import, or a directory.

    Raises:
        FatalError: It is not there, or cannot be read.
    """
    if path.is_dir():
        return Source(name=path.resolve().name, path=path)
    try:
        if path.exists() and not path.is_file():
            raise FatalError(f"`{path}` is neither a file nor a directory")
        source = Source(name=path.name, path=path, size=path.stat().st_size)
        check_size(source)
        return replace(source, data=path.read_bytes())
    except FileNotFoundError as error:
        raise FatalError(f"`{path}` is not there") from error
    except OSError as error:
        raise FatalError(f"`{path}` cannot be read: {error.strerror}") from error
