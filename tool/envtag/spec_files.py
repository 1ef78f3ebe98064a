"""Spec files from disk: each with what it includes, under the names that a registry keeps them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envtag.errors import FatalError
from envtag.settings import check_spec_name
from envtag.spec import SpecFile, includes, kind_of
from envtag.spec.model import SIZE_LIMIT
from envtag.util.yaml_read import check_size

_STORED_NAMES = {"requirements": "requirements.txt", "environment": "environment.yml", "pyproject": "pyproject.toml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFiles:
    """What a command line's files are, read once.

    Attributes:
        specs: Names of the specs themselves, in the order they were given.
        files: The specs and the files that they include.
    """

    specs: tuple[str, ...]
    files: tuple[SpecFile, ...]

    def data(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            FatalError: There is no file of this name.
        """
        for file in self.files:
            if file.name == name:
                return file.data
        raise FatalError(f"the spec file `{name}`, which `envtag.yml` names, is not there", "add it, or correct `spec`")


def read_spec_files(named: Sequence[tuple[str, Path]]) -> SpecFiles:
    """Read spec files and what their `-r` and `-c` lines include.

    Args:
        named: Kind (`requirements`, `environment`, `pyproject`) and path of each, in order.

    Raises:
        FatalError: One cannot be read, or two different ones would be kept under one name.
    """
    kept: dict[str, SpecFile] = {}
    specs = []
    for kind, path in named:
        name = _free_name(path.name if _keeps_name(path.name, kind) else _STORED_NAMES[kind], kept)
        kept[name] = SpecFile(name=name, data=_read(path))
        specs.append(name)
        _read_includes(kept[name], path.parent, kept)
    return SpecFiles(specs=tuple(specs), files=tuple(kept.values()))


def _read_includes(file: SpecFile, directory: Path, kept: dict[str, SpecFile]) -> None:
    for name in includes(file):
        try:
            check_spec_name(name)
        except FatalError as error:
            raise FatalError(f"{file.name}: {error.message}", "rename the included file") from error
        included = SpecFile(name=name, data=_read(directory / name))
        if name not in kept:
            kept[name] = included
            _read_includes(included, directory, kept)
        elif kept[name] != included:
            raise FatalError(f"two files are called `{name}`", "rename one of them: both are kept in one directory")


def _free_name(name: str, kept: dict[str, SpecFile]) -> str:
    stem, dot, extension = name.partition(".")
    number = 2
    while name in kept:
        name = f"{stem}-{number}{dot}{extension}"
        number += 1
    return name


def _keeps_name(name: str, kind: str) -> bool:
    try:
        return kind_of(check_spec_name(name)) == kind
    except FatalError:
        return False


def _read(path: Path) -> bytes:
    try:
        check_size(path.stat().st_size, f"`{path}`", SIZE_LIMIT)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FatalError(f"`{path}` is not there") from error
    except OSError as error:
        raise FatalError(f"`{path}` cannot be read: {error.strerror}") from error
