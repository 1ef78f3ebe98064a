"""What other tools' locks are read into: packages with what their file says of them, and what was chosen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envtag.errors import FatalError
from envtag.platforms import PLATFORMS
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.package import Package

#: A lock of a whole organization's workspace has a few million bytes; parsers of YAML and TOML read no more.
SIZE_LIMIT = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, or a directory, as it was given.

    Attributes:
        name: What errors call it.
        path: Where it is.
        data: Its bytes; none of a directory.
        size: How many bytes it had when it was looked at.
    """

    name: str
    path: Path
    data: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is wanted of a file that holds more than one environment.

    Attributes:
        platforms: The platforms that were asked for; none for all that the file is of.
        usual: The platforms to import for where neither the file nor anybody says which.
        environment: The environment of a pixi.lock, empty for `default`.
        categories: The categories of a conda-lock.yml.
        extras: Extras of a pylock.toml or uv.lock, normalized (PEP 503).
        groups: Dependency groups of a pylock.toml or uv.lock, normalized.
        root: The root package of a uv.lock, empty for the only one.
        pythons: Platform to the version of Python that conda packages bring there.
        python: The version of Python that was asked for, empty for what the file says.
        virtual_packages: Platform to all virtual packages of the target: which wheels fit.
    """

    platforms: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    environment: str = ""
    categories: tuple[str, ...] = ("main",)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    root: str = ""
    pythons: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    virtual_packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, found: tuple[str, ...], where: str) -> tuple[str, ...]:
        """The platforms to import of those that a file is of.

        Args:
            found: The file's platforms; those that envtag does not know are passed over.
            where: The file, for errors.

        Raises:
            FatalError: One was asked for that the file is not of, or it is of none that envtag knows.
        """
        known = tuple(name for name in PLATFORMS if name in found)
        for name in self.platforms:
            if name not in known:
                raise FatalError(f"{where}: is not locked for `{name}`", f"it is for {listed(found)}")
        if not known:
            raise FatalError(f"{where}: is for no platform that envtag knows", f"it is for {listed(found)}")
        return self.platforms or known

    def python_of(self, platform: str, stated: str, where: str) -> str:
        """The version of Python on a platform: of its conda packages, as asked for, or as the file states it.

        Raises:
            FatalError: Nothing says which.
        """
        found = self.pythons.get(platform) or self.python or stated
        if not found:
            raise FatalError(f"{where}: does not say which Python it is for", "add `--python 3.12`, for example")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One package of a file.

    Attributes:
        package: What the file says of it; sha256, md5 and URL are empty where it says nothing of them.
        where: File and line, or entry.
        hashes: SHA-256 of each file that it may be, where the file names hashes and no URL.
        direct: Whether it was asked for by this URL, and not from an index.
    """

    package: Package
    where: str
    hashes: tuple[str, ...] = ()
    direct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What one file holds of what was chosen.

    Attributes:
        entries: Platform to its packages, in the file's order.
        channels: Canonical URLs of conda channels, in order.
        index_url: The PyPI index in place of the default one, where the file names one.
        extra_index_urls: Further indices.
        python: The minor version of Python that PyPI packages are for, empty where conda brings it.
        notes: What people should know of it.
    """

    entries: Mapping[str, tuple[Entry, ...]]
    channels: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    python: str = ""
    notes: tuple[str, ...] = ()


class Reader(Protocol):
    """What a module that reads a format offers."""

    def recognizes(self, source: Source) -> bool:
        """Whether a file is of this format, by its name or its first lines."""

    def read(self, source: Source, choice: Choice) -> Imported:
        """Read a file.

        Raises:
            FatalError: It is malformed, of a version that is not known, or lacks what was chosen; names file, entry
                and reason.
        """


def check_size(source: Source) -> None:
    """Refuse what is too big to be a lock, before it is read or parsed.

    Raises:
        FatalError: It is.
    """
    size = max(source.size, len(source.data))
    if size > SIZE_LIMIT:
        raise FatalError(f"{source.name}: {size} bytes are too many for a lock", f"{SIZE_LIMIT} bytes are allowed")


def refused(where: str, text: str, reason: str, hint: str = "") -> FatalError:
    """The error for a part of a file: its place, the part, the reason."""
    return FatalError(f"{where}: {shown(text)}: {reason}", hint)


def listed(names: tuple[str, ...]) -> str:
    """Names for a message, cut after a dozen."""
    few = names[:12]
    return ", ".join(shown(name) for name in few) + (" …" if len(names) > len(few) else "") if names else "none"
