"""conda-lock's unified lock (`conda-lock.yml`, version 1): several platforms, categories, conda and pip packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.importing.archives import channels_of, conda_package, public_url, pypi_name
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused
from envtag.importing.wire import Table, yaml_of
from envtag.package import Package

if TYPE_CHECKING:
    from collections.abc import Mapping


def recognizes(source: Source) -> bool:
    """See `model.Reader`: a YAML file with `metadata` and `package` that is not of pixi's kind."""
    if not source.name.lower().endswith((".yml", ".yaml", ".lock")):
        return False
    return b"\nmetadata:" in b"\n" + source.data and b"\npackage:" in b"\n" + source.data


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`."""
    document = yaml_of(source)
    version = document.text("version", "")
    if version != "1":
        raise FatalError(f"{source.name}: lock version {version!r} is not one that this envtag reads", "it reads 1")
    metadata = document.table("metadata")
    custom = metadata.table("custom_metadata")
    blocks = document.tables("package")
    categories = dict.fromkeys(block.text("category", "main") for block in blocks)
    for name in choice.categories:
        if name != "main" and name not in categories:
            raise FatalError(
                f"{source.name}: has no package of category `{name}`", f"it has {listed(tuple(categories))}"
            )
    platforms = choice.of(_platforms(metadata, blocks), source.name)
    found: dict[str, dict[tuple[str, str], Entry]] = {platform: {} for platform in platforms}
    for block in blocks:
        platform = block.text("platform")
        if platform in found and block.text("category", "main") in choice.categories:
            _add(found[platform], _entry(block, custom.value))
    left_out = [name for name in categories if name not in choice.categories]
    return Imported(
        entries={platform: tuple(entries.values()) for platform, entries in found.items()},
        channels=channels_of(
            [_channel(item) for item in metadata.tables("channels")],
            (entry.package for entries in found.values() for entry in entries.values()),
        ),
        python=custom.text("envtag-python", "") if custom.text("envtag-interpreter", "") == "uv" else "",
        notes=(f"left out: category {', '.join(sorted(left_out))} (`--category` takes it in)",) if left_out else (),
    )


def _platforms(metadata: Table, blocks: list[Table]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*metadata.texts("platforms"), *(block.text("platform") for block in blocks))))


def _channel(item: Table) -> str:
    url = item.text("url")
    return public_url(url, item.where) if "://" in url else url


def _add(entries: dict[tuple[str, str], Entry], entry: Entry | None) -> None:
    """Add a package; one of several categories is there several times, with the same archive."""
    if entry is None:
        return
    before = entries.setdefault(entry.package.key, entry)
    if before.package.url != entry.package.url:
        raise FatalError(f"{entry.where}: is there twice with different archives, the other is in {before.where}")


def _entry(block: Table, custom: Mapping[str, Any]) -> Entry | None:
    name, manager, platform = block.text("name"), block.text("manager"), block.text("platform")
    where = f"{block.where} (`{name}`)"
    if manager not in ("conda", "pip"):
        raise refused(where, manager, "it is not a manager of packages that is known", "`conda` and `pip` are")
    if manager == "conda" and name.startswith("__"):  # old locks list virtual packages
        return None
    block = Table(block.value, where)
    hashes = block.table("hash")
    depends = {key: block.table("dependencies").text(key, "") for key in block.table("dependencies").value}
    url = block.text("url")
    if manager == "conda":
        package = conda_package(url, where)._replace(
            depends=tuple(f"{key} {value}".strip() for key, value in sorted(depends.items())),
        )
        if package.name != name.lower() or package.version != block.text("version"):
            raise FatalError(f"{where}: its archive `{package.filename}` is of another package or version")
    else:
        needed = (pypi_name(key, where) for key in depends)
        package = Package(
            manager="pypi",
            name=pypi_name(name, where),
            version=block.text("version"),
            url=public_url(url, where).partition("#sha256=")[0],
            sha256="",
            depends=tuple(sorted({key for key in needed if key != "python"})),
        )
    package = package._replace(sha256=hashes.digest("sha256"), md5=hashes.digest("md5") if manager == "conda" else "")
    return Entry(package=_stated(package, platform, custom), where=where)


def _stated(package: Package, platform: str, custom: Mapping[str, Any]) -> Package:
    """A package with the size, licence and date that envtag keeps beside it."""
    for key in (f"package/{platform}/{package.manager}/{package.name}", f"package/{package.manager}/{package.name}"):
        try:
            stated = json.loads(custom.get(key, "null"))
        except (TypeError, ValueError):
            continue
        if isinstance(stated, dict):
            size, license_, timestamp = (stated.get(field) for field in ("size", "license", "timestamp"))
            return package._replace(
                size=size if isinstance(size, int) else None,
                license=license_ if isinstance(license_, str) else None,
                timestamp=timestamp if isinstance(timestamp, int) else None,
            )
    return package
