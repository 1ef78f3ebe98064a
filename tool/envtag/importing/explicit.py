"""Explicit lists (`@EXPLICIT`): what `conda list --explicit` prints, with md5, sha256 or no hashes; one platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from envtag.errors import FatalError
from envtag.importing.archives import channels_of, conda_package, public_url, pypi_name
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused
from envtag.importing.wire import digest_of, text_of
from envtag.package import Package

_PLATFORM = re.compile(r"#\s*platform:\s*(\S+)")
_PYTHON = re.compile(r"#\s*python:\s*([0-9]+\.[0-9]+)\s*$")
_PIP = re.compile(r"#\s*pip\s+(?P<name>\S+)\s+@\s+(?P<url>\S+?)(?:(?:#|\s+--hash=)sha256[=:](?P<sha256>\S+))?\s*$")
_MD5_LENGTH = 32


def recognizes(source: Source) -> bool:
    """See `model.Reader`: a line `@EXPLICIT` among the first ones."""
    return re.search(rb"^@EXPLICIT\s*$", source.data[:4096], re.MULTILINE) is not None


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`; a comment `# pip NAME @ URL#sha256=…`, as conda-lock writes it, is a PyPI package."""
    entries = tuple(_entries(source))
    platform = _platform(source, entries, choice)
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        before = first.setdefault(entry.package.key, entry)
        if before is not entry:
            raise FatalError(f"{entry.where}: `{entry.package.name}` is there twice, first in {before.where}")
    channels = channels_of([], (entry.package for entry in entries))
    python = next((match[1] for line in _lines(source) if (match := _PYTHON.match(line[1]))), "")
    conda_python = any(entry.package.key == ("conda", "python") for entry in entries)
    return Imported(entries={platform: entries}, channels=channels, python="" if conda_python or channels else python)


def _lines(source: Source) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text_of(source).splitlines(), 1):
        yield f"{source.name}:{number}", line.strip()


def _entries(source: Source) -> Iterator[Entry]:
    for where, line in _lines(source):
        pip = _PIP.match(line)
        if pip is not None:
            yield _pypi(pip, where)
        elif line and not line.startswith("#") and line != "@EXPLICIT":
            yield _conda(line, where)


def _conda(line: str, where: str) -> Entry:
    url, _, fragment = line.partition("#")
    if any(character.isspace() for character in url):
        raise refused(where, line, "it is not the URL of a conda package")
    package = conda_package(url, where)
    kind, sign, text = fragment.partition(":") if ":" in fragment else ("", "", fragment)
    if sign and kind not in ("sha256", "md5"):
        raise refused(where, fragment, "it is not a hash that is known", "`#MD5` and `#sha256:HEX` are")
    if not text:
        return Entry(package=package, where=where)
    kind = kind or ("md5" if len(text) == _MD5_LENGTH else "sha256")
    digest = digest_of(kind, text, where)
    package = package._replace(md5=digest) if kind == "md5" else package._replace(sha256=digest)
    return Entry(package=package, where=where)


def _pypi(match: re.Match[str], where: str) -> Entry:
    url = public_url(match["url"], where)
    if url.startswith("git+"):
        raise refused(where, url, "it is of a git repository, and no version is stated", "import it from another file")
    name = pypi_name(match["name"], where)
    filename = url.partition("#")[0].rpartition("/")[2]
    package = Package(manager="pypi", name=name, version=version_of(filename, where), url=url, sha256="")
    return Entry(package=package._replace(sha256=digest_of("sha256", match["sha256"] or "", where)), where=where)


def version_of(filename: str, where: str) -> str:
    """The version in the file name of a wheel or an sdist.

    Raises:
        FatalError: It is neither.
    """
    from urllib.parse import unquote

    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    name = unquote(filename)
    try:
        return str(parse_wheel_filename(name)[1] if name.endswith(".whl") else parse_sdist_filename(name)[1])
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise refused(where, filename, "it is the name of neither a wheel nor an sdist") from error


def _platform(source: Source, entries: tuple[Entry, ...], choice: Choice) -> str:
    """The platform of the packages, of the comment, or the one that was asked for."""
    subdirs = dict.fromkeys(
        entry.package.subdir for entry in entries if entry.package.subdir and entry.package.subdir != "noarch"
    )
    said = next((match[1] for _, line in _lines(source) if (match := _PLATFORM.match(line))), "")
    if len(subdirs) > 1:
        raise FatalError(f"{source.name}: has packages of several platforms: {listed(tuple(subdirs))}")
    found = next(iter(subdirs), said)
    if found and said and found != said:
        raise FatalError(f"{source.name}: says `platform: {said}`, and has packages for `{found}`")
    if not found and len(choice.platforms) != 1:
        raise FatalError(
            f"{source.name}: does not say which platform it is for", "add `--platform linux-64`, or another"
        )
    return replace(choice, platforms=()).of((found or choice.platforms[0],), source.name)[0]
