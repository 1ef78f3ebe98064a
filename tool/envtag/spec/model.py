"""What a person hands in, what is read from it, and where things were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from envtag.errors import FatalError
from envtag.request import PypiOptions
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.request import CondaRequirement, Login, Origin, PypiRequirement, Sources

SpecKind = Literal["requirements", "environment", "pyproject"]
SIZE_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFile:
    """A spec as it was given.

    Attributes:
        name: Its base name, which says its kind and is shown in errors.
        data: Its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What all spec files of an environment ask for together.

    Attributes:
        conda: Requirements on conda packages, in order, no two equal.
        pypi: Requirements on PyPI packages and constraints, in order, no two equal.
        channels: Canonical channel URLs, in order of priority.
        index_url: The PyPI index in place of the default one, asked after the extra ones; empty for the default.
        extra_index_urls: Further indices, in order.
        python: PEP 440 constraint from `requires-python`; empty for none.
        platforms: What `platforms:` of an environment.yml lists; empty for nothing said.
        pypi_options: How PyPI packages are found and chosen beside their indices.
        logins: How to log in where variables say so.
        variants: Variant of a platform to where packages come from there, if that is somewhere else.
    """

    conda: tuple[CondaRequirement, ...] = ()
    pypi: tuple[PypiRequirement, ...] = ()
    channels: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    python: str = ""
    platforms: tuple[str, ...] = ()
    pypi_options: PypiOptions = field(default=PypiOptions())
    logins: tuple[Login, ...] = ()
    variants: Mapping[str, Sources] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A value and where it was written."""

    value: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one spec file asks for, with the places that a conflict with another file will name.

    Attributes:
        conda: Requirements on conda packages.
        pypi: Requirements on PyPI packages and constraints.
        channels: Canonical channel URLs.
        index_urls: Default indices: one, or the same one again.
        extra_index_urls: Further indices.
        pythons: Canonical PEP 440 constraints.
        platforms: Platforms of an environment.yml.
        options: Name (`find-links`, `no-index`, `pre`, `only-binary`, `no-binary`, `require-hashes`) and value of each
            option, in order; a switch has an empty value.
        logins: How to log in where variables say so.
        extras: Normalized names of the optional dependencies that a project has.
        groups: Normalized names of the dependency groups that it has.
    """

    conda: tuple[CondaRequirement, ...] = ()
    pypi: tuple[PypiRequirement, ...] = ()
    channels: tuple[Placed, ...] = ()
    index_urls: tuple[Placed, ...] = ()
    extra_index_urls: tuple[Placed, ...] = ()
    pythons: tuple[Placed, ...] = ()
    platforms: tuple[Placed, ...] = ()
    options: tuple[tuple[str, Placed], ...] = ()
    logins: tuple[Login, ...] = ()
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class MalformedError(ValueError):
    """A text is not what it should be; `located` says where it stands.

    Args:
        reason: Why, to follow the text in a message.
        hint: What to write instead.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@contextmanager
def located(origin: Origin, text: str) -> Iterator[None]:
    """Give errors of the block their place: file, line and the text at fault.

    Raises:
        FatalError: For each `MalformedError` and `FatalError` of the block.
    """
    try:
        yield
    except MalformedError as error:
        raise refused(origin, text, error.reason, error.hint) from error
    except FatalError as error:
        raise FatalError(f"{origin}: {error.message}", error.hint, error.detail) from error


def refused(origin: Origin, text: str, reason: str, hint: str = "") -> FatalError:
    """The error for a text in a spec: its place, the text, the reason."""
    return FatalError(f"{origin}: {shown(text)}: {reason}", hint)


def kind_of(filename: str) -> SpecKind:
    """The kind of a spec by its file name.

    Args:
        filename: A base name or a path: `*.txt`, `*.in`, `*.yml`, `*.yaml` or `pyproject*.toml`.

    Raises:
        FatalError: It is none of these.
    """
    base = filename.replace("\\", "/").rpartition("/")[2].lower()
    if base.endswith((".txt", ".in")):
        return "requirements"
    if base.endswith((".yml", ".yaml")):
        return "environment"
    if base.startswith("pyproject") and base.endswith(".toml"):
        return "pyproject"
    raise FatalError(
        f"{shown(filename)} is not a spec that envtag reads",
        "give a requirements file (`*.txt`, `*.in`), an environment file (`*.yml`, `*.yaml`) or a `pyproject.toml`",
    )


def decode(file: SpecFile) -> str:
    """The text of a spec; a byte order mark at its start is left out.

    Raises:
        FatalError: It is too big, not UTF-8, or no text.
    """
    if len(file.data) > SIZE_LIMIT:
        raise FatalError(f"{file.name}: {len(file.data)} bytes are too many for a spec", f"{SIZE_LIMIT} are allowed")
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.data.count(b"\n", 0, error.start) + 1
        raise FatalError(f"{file.name}:{line}: not UTF-8 text: {error.reason}", "save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FatalError(f"{file.name}:{line}: not text: it has a NUL character")
    return text
