"""Spec files from disk: each with what it includes, under the names that a registry keeps them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envtag.errors import FatalError
from envtag.platforms import check_variant
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
        files: The specs, those of variants, and the files that they include.
        variants: Variant of a platform to the names of the specs that are for it alone.
    """

    specs: tuple[str, ...]
    files: tuple[SpecFile, ...]
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def data(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            FatalError: There is no file of this name.
        """
        for file in self.files:
            if file.name == name:
                return file.data
        raise FatalError(f"the spec file `{name}`, which `envtag.yml` names, is not there", "add it, or correct `spec`")


def read_spec_files(named: Sequence[tuple[str, Path]], variants: Sequence[tuple[str, Path]] = ()) -> SpecFiles:
    """Read spec files and what their `-r` and `-c` lines include.

    Args:
        named: Kind (`requirements`, `environment`, `pyproject`) and path of each, in order.
        variants: Variant of a platform and path of each file that is for it alone; its name says its kind.

    Raises:
        FatalError: One cannot be read, two different ones would be kept under one name, or a variant is none.
    """
    kept: dict[str, SpecFile] = {}
    specs: list[str] = []
    own: dict[str, list[str]] = {}
    names: dict[Path, str] = {}
    for kind, path in [*named, *((kind_of(path.name), path) for path in dict.fromkeys(path for _, path in variants))]:
        name = _free_name(path.name if _keeps_name(path.name, kind) else _STORED_NAMES[kind], kept)
        kept[name] = SpecFile(name=name, data=_read(path))
        specs.append(name)
        names[path] = name
        _read_includes(kept[name], path.parent, kept)
    for variant, path in variants:
        own.setdefault(check_variant(variant), []).append(names[path])
    return SpecFiles(
        specs=tuple(specs[: len(named)]),
        files=tuple(kept.values()),
        variants={variant: tuple(dict.fromkeys(found)) for variant, found in own.items()},
    )


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
