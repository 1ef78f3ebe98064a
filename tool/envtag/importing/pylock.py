"""pylock.toml (PEP 751): extras, groups and markers are evaluated for each platform, and one file is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from envtag.engines.pylock import File
from envtag.engines.python_version import minor_of, only_minor, permits
from envtag.errors import FatalError
from envtag.importing.archives import public_url, pypi_name
from envtag.importing.explicit import version_of
from envtag.importing.files import choose
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused
from envtag.importing.wire import Table, python_bound, toml_of
from envtag.package import Package
from envtag.urls import COMMIT, GitUrl
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def recognizes(source: Source) -> bool:
    """See `model.Reader`: `pylock.toml` or `pylock.NAME.toml`, or TOML with a `lock-version`."""
    return source.name.endswith(".toml") and (
        source.name.startswith("pylock.") or b"\nlock-version" in b"\n" + source.data[:4096]
    )


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`."""
    document = toml_of(source)
    version = document.text("lock-version", "")
    if version.partition(".")[0] != "1":
        raise FatalError(f"{source.name}: lock-version {version!r} is not one that this envtag reads", "it reads 1.x")
    _check_chosen(document, choice)
    requires = python_bound(document)
    stated = document.table("tool").table("envtag").text("python", "") or only_minor(requires)
    groups = choice.groups or document.texts("default-groups")
    blocks = document.tables("packages")
    entries: dict[str, tuple[Entry, ...]] = {}
    left_out: set[str] = set()
    pythons = set()
    for platform in choice.platforms or tuple(_own_platforms(document)) or choice.usual:
        python = choice.python_of(platform, stated, source.name)
        if requires and not permits(requires, minor_of(python)):
            raise FatalError(f"{source.name}: is for Python `{requires}`, and {python} was asked for")
        pythons.add(minor_of(python))
        environment = {
            **marker_environment(platform, python),
            "extras": frozenset(choice.extras),
            "dependency_groups": frozenset(groups),
        }
        _check_environment(document, environment, platform)
        chosen = [block for block in blocks if _holds(block, environment)]
        left_out.update(block.text("name") for block in chosen if "directory" in block.value)
        entries[platform] = tuple(
            _entry(block, platform, python, choice) for block in chosen if "directory" not in block.value
        )
    indices = list(dict.fromkeys(text for block in blocks if (text := block.text("index", ""))))
    return Imported(
        entries=entries,
        index_url=public_url(indices[0], source.name) if indices else "",
        extra_index_urls=tuple(public_url(url, source.name) for url in indices[1:]),
        python=max(pythons, default=""),
        notes=tuple(_notes(document, choice, groups, left_out)),
    )


def _notes(document: Table, choice: Choice, groups: Sequence[str], directories: set[str]) -> Iterator[str]:
    """What is left out."""
    if directories:
        yield f"left out, since it is a directory: {', '.join(sorted(directories))}"
    for key, chosen, option in (("extras", choice.extras, "--extra"), ("dependency-groups", groups, "--group")):
        known = {pypi_name(name, document.where) for name in document.texts(key)}
        left = sorted(known - {pypi_name(name, document.where) for name in chosen})
        if left:
            yield f"left out: {', '.join(left)} (`{option}` takes it in)"


def _check_chosen(document: Table, choice: Choice) -> None:
    """Refuse extras and groups that the file does not know."""
    for key, chosen in (("extras", choice.extras), ("dependency-groups", choice.groups)):
        known = tuple(pypi_name(name, f"{document.where}: `{key}`") for name in document.texts(key))
        for name in chosen:
            if name not in known:
                raise FatalError(f"{document.where}: has no `{name}` among its {key}", f"it has {listed(known)}")


def _own_platforms(document: Table) -> list[str]:
    """The platforms that a lock of envtag's own says it is of."""
    own = document.table("tool").table("envtag")
    return [key.removeprefix("lock-") for key in own.value if key.startswith("lock-")]


def _check_environment(document: Table, environment: Mapping[str, Any], platform: str) -> None:
    supported = document.texts("environments")
    if supported and not any(_evaluate(text, environment, document.where) for text in supported):
        raise FatalError(
            f"{document.where}: its `environments` do not have `{platform}` with this Python",
            f"they are {listed(supported)}",
        )


def _holds(block: Table, environment: Mapping[str, Any]) -> bool:
    marker = block.text("marker", "")
    python = python_bound(block)
    if python and not permits(python, minor_of(environment["python_full_version"])):
        return False
    return not marker or _evaluate(marker, environment, f"{block.where} (`{block.text('name')}`)")


def _evaluate(text: str, environment: Mapping[str, Any], where: str) -> bool:
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    try:
        return Marker(text).evaluate(dict(environment), context="lock_file")
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
        raise refused(where, text, "it is not a marker that has an answer") from error


def _entry(block: Table, platform: str, python: str, choice: Choice) -> Entry:
    name = pypi_name(block.text("name"), block.where)
    block = Table(block.value, f"{block.where} (`{name}`)")
    depends = tuple(sorted({pypi_name(item.text("name"), item.where) for item in block.tables("dependencies")}))
    if "vcs" in block.value:
        return _commit(block, name, depends)
    direct = "archive" in block.value
    files = [_file(item) for item in block.tables("wheels")]
    source = _file(block.table("sdist")) if "sdist" in block.value else None
    if direct:
        archive = _file(block.table("archive"))
        files, source = ([archive], None) if archive.name.endswith(".whl") else ([], archive)
    file = choose(files, source, platform=platform, python=python, virtual_packages=choice.virtual_packages[platform])
    if file is None:
        raise nothing_fits(block.where, files, platform, python)
    package = Package(
        manager="pypi",
        name=name,
        version=block.text("version", "") or version_of(file.name, block.where),
        url=file.url,
        sha256=file.sha256,
        size=file.size,
        timestamp=file.uploaded,
        depends=depends,
    )
    return Entry(package=package, where=block.where, direct=direct)


def nothing_fits(where: str, files: Sequence[File], platform: str, python: str) -> FatalError:
    """The error for a package none of whose files fits."""
    return FatalError(
        f"{where}: none of its files fits Python {python} on `{platform}`",
        "leave the platform out, or import it for another Python: `--python`",
        "\n".join(f"there is: {file.name}" for file in files[:20]),
    )


def _commit(block: Table, name: str, depends: tuple[str, ...]) -> Entry:
    vcs = block.table("vcs")
    commit = vcs.text("commit-id")
    if vcs.text("type") != "git" or not COMMIT.match(commit):
        raise FatalError(f"{block.where}: is not a git commit of 40 hex digits", "publish a wheel of it")
    git = GitUrl(
        repository=public_url(vcs.text("url"), block.where), revision=commit, subdirectory=vcs.text("subdirectory", "")
    )
    package = Package(
        manager="pypi", name=name, version=block.text("version"), url=str(git), sha256="", depends=depends
    )
    return Entry(package=package, where=block.where)


def _file(item: Table) -> File:
    url = item.text("url", "") or item.text("path", "")
    uploaded = item.value.get("upload-time")
    return File(
        url=public_url(url, item.where).partition("#")[0],
        sha256=item.table("hashes").digest("sha256"),
        size=item.number("size"),
        uploaded=milliseconds(uploaded),
    )


def milliseconds(moment: object) -> int | None:
    """A moment of TOML as milliseconds since 1970, None for anything else."""
    if not isinstance(moment, datetime):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return (aware - _EPOCH) // timedelta(milliseconds=1)
