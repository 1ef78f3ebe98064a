"""What the name and the place of a package's archive say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from envtag.errors import FatalError
from envtag.importing.model import refused
from envtag.package import Package
from envtag.urls import channel_url, check_public

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_CONDA = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<build>[^-/]+)\.(?:conda|tar\.bz2)")
_SUBDIR = re.compile(r"noarch|(?:linux|osx|win|emscripten|wasi|freebsd|zos)-[a-z0-9_]+")
_HIDDEN = re.compile(r"%(?:2f|5c|00)|\\", re.IGNORECASE)
_TOKEN = re.compile(r"/t/[^/]+(?=/)")


def public_url(url: str, where: str) -> str:
    """A URL as it may be written down: user information and a `/t/TOKEN/` are left out, since they are no part of it.

    Raises:
        FatalError: It is no absolute URL, or holds a secret that cannot be left out.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] if parts.scheme.removeprefix("git+") != "ssh" else parts.netloc
    except ValueError:
        raise FatalError(f"{where}: its URL is malformed") from None
    if not parts.scheme or len(parts.scheme) == 1:  # a path, `C:` among them
        raise refused(
            where, url, "it is a file of one machine, which others cannot fetch", "publish it, and name its URL"
        )
    if _HIDDEN.search(parts.path):
        raise refused(where, url, "its path has an encoded `/`, `\\` or NUL, and names no file")
    path = parts.path if parts.scheme == "file" else _TOKEN.sub("", parts.path)
    try:
        return check_public(urlunsplit(SplitResult(parts.scheme, host, path, parts.query, parts.fragment)), "a package")
    except FatalError as error:
        raise FatalError(f"{where}: {error.message}", error.hint) from error


def conda_package(url: str, where: str) -> Package:
    """A conda package by the URL of its archive (`…/SUBDIR/NAME-VERSION-BUILD.conda`), without hashes.

    Raises:
        FatalError: The URL is not of a conda package.
    """
    public = public_url(url, where)
    head, _, filename = unquote(urlsplit(public).path).rpartition("/")
    match = _CONDA.fullmatch(filename)
    subdir = head.rpartition("/")[2]
    if match is None or not _SUBDIR.fullmatch(subdir) or "#" in public or "?" in public:
        raise refused(
            where,
            public,
            "it is not the URL of a conda package",
            "for example `https://…/linux-64/zlib-1.3-h1_0.conda`",
        )
    return Package(
        manager="conda",
        name=match["name"].lower(),
        version=match["version"],
        build=match["build"],
        subdir=subdir,
        url=public,
        sha256="",
    )


def channels_of(listed: Iterable[str], packages: Iterable[Package]) -> tuple[str, ...]:
    """The channels that a file lists, and then those that its packages are of.

    Args:
        listed: Names or URLs; `defaults` stands for others on each machine, so that the packages decide.
        packages: Of both worlds.
    """
    named = [channel_url(name) for name in listed if name not in ("defaults", "nodefaults", "local")]
    used = [channel_of(package) for package in packages if package.manager == "conda"]
    return tuple(dict.fromkeys([*named, *used]))


def channel_of(package: Package) -> str:
    """The canonical URL of the channel that a conda package is of."""
    return package.url.rsplit("/", 2)[0]


def pypi_name(text: str, where: str) -> NormalizedName:
    """The normalized name of a PyPI package (PEP 503).

    Raises:
        FatalError: It is no name.
    """
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise refused(where, text, "it is not the name of a PyPI package") from error
