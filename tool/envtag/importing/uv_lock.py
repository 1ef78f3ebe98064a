"""uv.lock, version 1: what a project needs on a platform, with the extras and dependency groups that are chosen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envtag.engines.pylock import File
from envtag.engines.python_version import minor_of, only_minor, permits
from envtag.errors import FatalError
from envtag.importing.archives import public_url, pypi_name
from envtag.importing.files import choose
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused
from envtag.importing.pylock import milliseconds, nothing_fits
from envtag.importing.wire import Table, digest_of, python_bound, toml_of
from envtag.package import Package
from envtag.wheels import marker_environment

_LOCAL = ("editable", "virtual", "directory")
_GIT = re.compile(r"(?P<repository>[^?#]+)(?:\?(?P<query>[^#]*))?#(?P<commit>[0-9a-f]{40})\Z")
_EXTRA = re.compile(r"extra\s*(==|!=)\s*(?:'([^']*)'|\"([^\"]*)\")")
_YES, _NO = "python_version > '0'", "python_version < '0'"


def recognizes(source: Source) -> bool:
    """See `model.Reader`: `uv.lock`, or TOML that begins as one does."""
    return re.match(rb"version = 1\n", source.data) is not None and b"[[package]]" in source.data


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`."""
    document = toml_of(source)
    if document.value.get("version") != 1:
        raise FatalError(
            f"{source.name}: lock version {document.value.get('version')!r} is not one that this envtag reads",
            "it reads 1",
        )
    blocks = [Table(item.value, f"{item.where} (`{item.text('name')}`)") for item in document.tables("package")]
    roots = _roots(blocks, choice, source.name)
    requires = python_bound(document)
    entries: dict[str, tuple[Entry, ...]] = {}
    pythons, indices = set(), Counter[str]()
    for platform in choice.platforms or choice.usual:
        python = choice.python_of(platform, only_minor(requires), source.name)
        if requires and not permits(requires, minor_of(python)):
            raise FatalError(f"{source.name}: is for Python `{requires}`, and {python} was asked for")
        pythons.add(minor_of(python))
        walk = _Walk(blocks=blocks, choice=choice, environment=marker_environment(platform, python))
        walk.take(roots)
        found = [(block, needs) for block, needs in walk.found() if _local(block) is None]
        if not found:
            hint = "; ".join(_left_out(roots, choice))
            raise FatalError(f"{source.name}: its project needs nothing on `{platform}`", hint)
        entries[platform] = tuple(_entry(block, needs, platform, python, choice) for block, needs in found)
        indices.update(_registry(block) for block, _ in found if _registry(block))
    order = [url for url, _ in indices.most_common()]
    return Imported(
        entries=entries,
        index_url=order[0] if order else "",
        extra_index_urls=tuple(sorted(order[1:])),
        python=max(pythons, default=""),
        notes=(
            *(f"left out, since it is the project itself: {block.text('name')}" for block in roots),
            *_left_out(roots, choice),
        ),
    )


def _left_out(roots: Sequence[Table], choice: Choice) -> Iterator[str]:
    """The extras and groups that nobody asked for."""
    for key, chosen, option in (
        ("optional-dependencies", choice.extras, "--extra"),
        ("dev-dependencies", choice.groups, "--group"),
    ):
        known = {pypi_name(name, root.where) for root in roots for name in root.table(key).value}
        left = sorted(known - set(chosen))
        if left:
            yield f"left out: {', '.join(left)} (`{option}` takes it in)"


def _roots(blocks: Sequence[Table], choice: Choice, where: str) -> list[Table]:
    """The package of the project that is chosen, whose extras and groups must be known."""
    own: dict[str, Table] = {
        pypi_name(block.text("name"), block.where): block for block in blocks if _local(block) is not None
    }
    if not own:
        raise FatalError(
            f"{where}: has no package of a project", "`uv export --format pylock.toml` lists what it holds"
        )
    if not choice.root and len(own) > 1:
        raise FatalError(f"{where}: has several projects", f"say which with `--package`: {listed(tuple(own))}")
    name = choice.root or next(iter(own))
    if name not in own:
        raise FatalError(f"{where}: has no project `{name}`", f"it has {listed(tuple(own))}")
    root = own[name]
    for key, chosen in (("optional-dependencies", choice.extras), ("dev-dependencies", choice.groups)):
        known = tuple(pypi_name(item, root.where) for item in root.table(key).value)
        for wanted in chosen:
            if wanted not in known:
                raise FatalError(f"{where}: `{name}` has no `{wanted}` among its {key}", f"it has {listed(known)}")
    return [root]


def _local(block: Table) -> str | None:
    """The path of a package that is a directory of the project; None for others."""
    source = block.table("source").value
    return next((str(source[kind]) for kind in _LOCAL if kind in source), None)


def _registry(block: Table) -> str:
    url = block.table("source").text("registry", "")
    return public_url(url, block.where).rstrip("/") if "://" in url else ""


@dataclass(kw_only=True)
class _Walk:
    """From roots to all that they need on one platform.

    Attributes:
        blocks: Every package of the file.
        choice: The extras and groups of the root.
        environment: The markers' values.
    """

    blocks: Sequence[Table]
    choice: Choice
    environment: Mapping[str, str]
    _named: dict[str, list[int]] = field(default_factory=dict)
    _extras: dict[int, set[str]] = field(default_factory=dict)
    _needs: dict[int, set[str]] = field(default_factory=dict)
    _active: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for number, block in enumerate(self.blocks):
            self._named.setdefault(str(block.value["name"]), []).append(number)

    def take(self, roots: Sequence[Table]) -> None:
        """Take roots with the extras and groups that are chosen, and what they need."""
        for root in roots:
            name = root.text("name")
            self._active = {f"extra-{len(name)}-{name}-{extra}" for extra in self.choice.extras}
            self._active |= {f"group-{len(name)}-{name}-{group}" for group in self.choice.groups}
            self._visit(self.blocks.index(root), set(self.choice.extras))
            for group in self.choice.groups:
                key = self._key(root, "dev-dependencies", group)
                self._follow(self.blocks.index(root), root.table("dev-dependencies").tables(key))

    def found(self) -> Iterator[tuple[Table, tuple[str, ...]]]:
        """Each package that is needed, in the file's order, and the names of what it needs."""
        for number in sorted(self._needs):
            yield self.blocks[number], tuple(sorted(self._needs[number]))

    def _visit(self, number: int, extras: set[str]) -> None:
        """Take a package, and what it and its extras need; each extra once."""
        stack = [(number, extras)]
        while stack:
            current, wanted = stack.pop()
            block = self.blocks[current]
            new = wanted - self._extras.get(current, set())
            first = current not in self._needs
            self._extras.setdefault(current, set()).update(wanted)
            self._needs.setdefault(current, set())
            lists = [block.tables("dependencies")] if first else []
            optional = block.table("optional-dependencies")
            lists += [optional.tables(self._key(block, "optional-dependencies", extra)) for extra in sorted(new)]
            for items in lists:
                stack.extend(self._next(current, items))

    def _follow(self, number: int, items: Sequence[Table]) -> None:
        for other, extras in self._next(number, items):
            self._visit(other, extras)

    def _next(self, number: int, items: Sequence[Table]) -> Iterator[tuple[int, set[str]]]:
        for item in items:
            if self._holds(item):
                other = self._find(item)
                if other != number:
                    self._needs[number].add(pypi_name(item.text("name"), item.where))
                yield other, {pypi_name(extra, item.where) for extra in item.texts("extra")}

    def _key(self, block: Table, table: str, name: str) -> str:
        known = block.table(table).value
        return next((key for key in known if pypi_name(key, block.where) == name), name)

    def _holds(self, item: Table) -> bool:
        from packaging.markers import InvalidMarker, Marker

        text = item.text("marker", "")
        if not text:
            return True
        bare = _EXTRA.sub(self._is_active, text)
        try:
            return Marker(bare).evaluate({**self.environment, "extra": ""})
        except InvalidMarker as error:
            raise refused(item.where, text, "it is not a marker") from error

    def _is_active(self, match: re.Match[str]) -> str:
        """`extra == '…'` as yes or no: uv writes conflicting extras and groups into markers like this."""
        active = (match[2] or match[3] or "") in self._active
        return _YES if active == (match[1] == "==") else _NO

    def _find(self, item: Table) -> int:
        """The package that a dependency means: by name, and by version and source where several have it."""
        name, version = item.text("name"), item.text("version", "")
        source: Any = item.value.get("source")
        fitting = [
            number
            for number in self._named.get(name, ())
            if (not version or self.blocks[number].value.get("version") == version)
            and (source is None or self.blocks[number].value.get("source") == source)
        ]
        if len(fitting) != 1:
            raise refused(item.where, f"{name} {version}".strip(), f"{len(fitting)} packages of the file are it")
        return fitting[0]


def _entry(block: Table, needs: tuple[str, ...], platform: str, python: str, choice: Choice) -> Entry:
    name, version = pypi_name(block.text("name"), block.where), block.text("version")
    source = block.table("source")
    if "git" in source.value:
        url, sha256, size, uploaded, direct = _git(source), "", None, None, False
    else:
        direct = "url" in source.value
        own = source.text("url", "")
        wheels = [_file(item, own) for item in block.tables("wheels")]
        sdist = _file(block.table("sdist"), own) if "sdist" in block.value else None
        file = choose(
            wheels, sdist, platform=platform, python=python, virtual_packages=choice.virtual_packages[platform]
        )
        if file is None:
            raise nothing_fits(block.where, wheels, platform, python)
        url, sha256, size, uploaded = file.url, file.sha256, file.size, file.uploaded
    package = Package(
        manager="pypi",
        name=name,
        version=version,
        url=url,
        sha256=sha256,
        size=size,
        timestamp=uploaded,
        depends=needs,
    )
    return Entry(package=package, where=block.where, direct=direct)


def _git(source: Table) -> str:
    text = source.text("git")
    match = _GIT.match(text)
    if match is None:
        raise refused(source.where, text, "it is not a git commit of 40 hex digits")
    query = dict(part.partition("=")[::2] for part in (match["query"] or "").split("&"))
    directory = f"#subdirectory={query['subdirectory']}" if query.get("subdirectory") else ""
    return public_url(f"git+{match['repository']}@{match['commit']}{directory}", source.where)


def _file(item: Table, default: str) -> File:
    kind, _, digest = item.text("hash", "").partition(":")
    return File(
        url=public_url(item.text("url", default) or item.text("path", ""), item.where).partition("#")[0],
        sha256=digest_of("sha256", digest, item.where) if kind == "sha256" else "",
        size=item.number("size"),
        uploaded=milliseconds(item.value.get("upload-time")),
    )
