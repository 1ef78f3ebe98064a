"""Pinned requirements, as pip-compile and `uv pip compile` write them with `--generate-hashes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.importing.archives import public_url, pypi_name
from envtag.importing.explicit import version_of
from envtag.importing.model import Choice, Entry, Imported, Source, refused
from envtag.importing.wire import digest_of, text_of
from envtag.package import Package
from envtag.urls import parse_git
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_PYTHON = re.compile(r"#.*\b[Pp]ython(?:-version)?[ =]+(\d+\.\d+)")
_FOR = re.compile(r"# Of \S+, written by `envtag export` for ([a-z0-9, -]+) and Python")
_HASH = re.compile(r"\s--hash[= ]\s*(\S+)")
_VIA = re.compile(r"\s*#\s+(?:via\s*)?(\S.*)?$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_INDEX = re.compile(r"(-i|--index-url|--extra-index-url)(?:[= ]\s*|\s+)(\S+)$")
#: What a compiled file may state of how it was made; the pins and hashes decide, whatever they are.
_PASSED_OVER = ("--no-binary", "--only-binary", "--pre", "--prefer-binary", "--trusted-host", "--find-links", "-f")
_REFUSED = {
    "-e": ("an editable install has no hash", "publish it, and pin it"),
    "--editable": ("an editable install has no hash", "publish it, and pin it"),
    "-r": ("it is another file", "import the compiled file of each, together"),
    "--requirement": ("it is another file", "import the compiled file of each, together"),
    "-c": ("it is another file", "compile it into this one"),
    "--constraint": ("it is another file", "compile it into this one"),
}


@dataclass(kw_only=True)
class _Pin:
    """One requirement: where it stands, its text, hashes, and who needs it (`# via`)."""

    where: str
    text: str
    hashes: tuple[str, ...]
    via: list[str] = field(default_factory=list)


def recognizes(source: Source) -> bool:
    """See `model.Reader`: a text file with a pinned requirement."""
    return source.name.lower().endswith((".txt", ".in", ".lock")) and (
        re.search(rb"^[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*(?:==|@)\s*\S+", source.data, re.MULTILINE) is not None
    )


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`; where each file is, is asked of the index afterwards."""
    text = text_of(source)
    pins, indices = _parse(source, text)
    stated = next((match[1] for match in map(_PYTHON.search, text.splitlines()[:20]) if match), "")
    own = next((match[1].split(", ") for match in map(_FOR.match, text.splitlines()[:20]) if match), [])
    entries = {}
    pythons = set()
    for platform in choice.platforms or tuple(own) or choice.usual:
        python = choice.python_of(platform, stated, source.name)
        pythons.add(".".join(python.split(".")[:2]))
        entries[platform] = _entries(pins, {**marker_environment(platform, python), "extra": ""})
    return Imported(
        entries=entries,
        index_url=indices.get("--index-url", [""])[-1],
        extra_index_urls=tuple(indices.get("--extra-index-url", ())),
        python=max(pythons, default=""),
    )


def _parse(source: Source, text: str) -> tuple[list[_Pin], dict[str, list[str]]]:
    pins: list[_Pin] = []
    indices: dict[str, list[str]] = {}
    for where, line, comment in _statements(source, text):
        if not line:
            if pins and comment:
                pins[-1].via.extend(_named(comment))
            continue
        if line.startswith("-"):
            _option(where, line, indices)
            continue
        hashes = tuple(_digest(where, found) for found in _HASH.findall(line))
        bare = _HASH.sub("", line).strip()
        pins.append(_Pin(where=where, text=bare, hashes=hashes, via=_named(comment)))
    return pins, indices


def _statements(source: Source, text: str) -> Iterator[tuple[str, str, str]]:
    """Place, text and comment of each logical line; an indented comment is a line with no text."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        start = start if parts else number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            parts.append(raw[:-1])
            continue
        whole = " ".join([*parts, raw])
        parts = []
        comment = _COMMENT.search(whole)
        line = _COMMENT.sub("", whole).strip()
        if line or (comment and raw[:1].isspace()):
            yield f"{source.name}:{start}", line, comment[0] if comment and (line or raw[:1].isspace()) else ""


def _named(comment: str) -> list[str]:
    """The packages that a `# via` comment names."""
    match = _VIA.match(comment)
    if match is None or match[1] is None or match[1].startswith(("-r", "-c")):
        return []
    words = [word.strip().partition("[")[0] for word in match[1].partition("(")[0].split(",")]
    return [word for word in words if re.fullmatch(r"[A-Za-z0-9][\w.-]*", word)]


def _digest(where: str, text: str) -> str:
    kind, _, digest = text.partition(":")
    if kind != "sha256":
        raise refused(where, text, "it is not a sha256", "compile it anew: `pip-compile --generate-hashes`")
    return digest_of("sha256", digest, where)


def _option(where: str, line: str, indices: dict[str, list[str]]) -> None:
    index = _INDEX.match(line)
    if index is not None:
        name = "--extra-index-url" if index[1] == "--extra-index-url" else "--index-url"
        indices.setdefault(name, []).append(public_url(index[2], where).rstrip("/"))
        return
    flag = re.split(r"[ =]", line, maxsplit=1)[0]
    if flag in _REFUSED:
        raise refused(where, line, *_REFUSED[flag])
    if flag not in _PASSED_OVER and flag != "--require-hashes":
        raise refused(where, line, "it is not an option that is known")


def _entries(pins: list[_Pin], environment: dict[str, str]) -> tuple[Entry, ...]:
    """The packages that are pinned in an environment, each with what it needs of the others."""
    found = []
    for pin in pins:
        requirement = _requirement(pin)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            found.append((pin, _entry(pin, requirement)))
    needs: dict[str, set[str]] = {}
    for pin, entry in found:
        for who in pin.via:
            needs.setdefault(pypi_name(who, pin.where), set()).add(entry.package.name)
    return tuple(
        replace(entry, package=entry.package._replace(depends=tuple(sorted(needs.get(entry.package.name, set())))))
        for _, entry in found
    )


def _requirement(pin: _Pin) -> Requirement:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(pin.text)
    except InvalidRequirement as error:
        raise refused(pin.where, pin.text, "it is not a requirement") from error


def _entry(pin: _Pin, requirement: Requirement) -> Entry:
    name = pypi_name(requirement.name, pin.where)
    if requirement.url is not None:
        return _direct(pin, name, requirement.url)
    exact = [item for item in requirement.specifier if item.operator in ("==", "===") and "*" not in item.version]
    if len(exact) != 1 or len(requirement.specifier) != 1:
        raise refused(
            pin.where,
            pin.text,
            "it is not pinned to one version",
            "compile it (`pip-compile --generate-hashes`), or let envtag solve it: `envtag resolve -r FILE`",
        )
    package = Package(manager="pypi", name=name, version=exact[0].version, url="", sha256="")
    return Entry(package=package, where=pin.where, hashes=pin.hashes)


def _direct(pin: _Pin, name: str, text: str) -> Entry:
    """A package that is asked for by its URL."""
    url, _, fragment = public_url(text, pin.where).partition("#")
    git = parse_git(text) if text.startswith("git+") else None
    if git is not None:
        raise FatalError(
            f"{pin.where}: `{name}` is of a git repository, and no version is stated",
            "let envtag solve it: `envtag resolve -r FILE`",
        )
    if len(pin.hashes) > 1:
        raise refused(pin.where, pin.text, "it has several hashes, and a URL is one file")
    stated = pin.hashes[0] if pin.hashes else fragment.removeprefix("sha256=") if "sha256=" in fragment else ""
    package = Package(
        manager="pypi",
        name=name,
        version=version_of(url.rpartition("/")[2], pin.where),
        url=url,
        sha256=digest_of("sha256", stated, pin.where),
    )
    return Entry(package=package, where=pin.where, direct=True)
