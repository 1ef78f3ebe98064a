"""Conda packages into a prefix, through rattler: verified archives, a shared cache, hard links."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.package import Package
from envtag.util import aio
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.output import Output, Task

Fetch = Callable[[Sequence[Package]], Mapping[str, Path]]

_BUILD_NUMBER = re.compile(r"_(\d+)$")
_URL_LINE = b'\n  "url": "'  # of the record itself: what is deeper is indented further


class DamagedCacheError(FatalError):
    """Packages could not be installed from the cache: fetch all archives, and try again in another directory."""


def install(
    packages: Sequence[Package],
    staging: Path,
    target: Path,
    *,
    cache: Path,
    fetch: Fetch,
    output: Output,
    fetch_all: bool = False,
) -> None:
    """Install packages into a new directory that will be renamed to `target`.

    Only archives that rattler's cache does not hold are fetched. rattler compares every cached file with the hash
    that its package states for it, and extracts the archive anew where one was edited. rattler does not verify the
    archives of `file://` URLs, so it only ever sees those that `fetch` verified.

    After an error, threads of rattler may go on writing to `staging` for a moment.

    Args:
        packages: All conda packages of the environment.
        staging: Absolute path of the directory to make.
        target: Absolute path that installed files name as their prefix.
        cache: rattler's package cache.
        fetch: Gives verified archives by hash.
        output: For progress.
        fetch_all: Fetch the archives of cached packages too, so that damaged ones are replaced.

    Raises:
        DamagedCacheError: It failed, and `fetch_all` may help.
        FatalError: A package cannot be had, is damaged, or cannot be linked.
    """
    cache.mkdir(parents=True, exist_ok=True)
    aio.run(_install(packages, staging, target, cache=cache, fetch=fetch, output=output, fetch_all=fetch_all))
    _write_canonical_urls(staging, packages)


def load() -> None:
    """Import what `install` needs, which takes about as long as hashing an environment: for who does both at once."""
    import asyncio  # noqa: F401 - loaded here, used later

    import rattler  # noqa: F401 - loaded here, used later


async def _install(
    packages: Sequence[Package],
    staging: Path,
    target: Path,
    *,
    cache: Path,
    fetch: Fetch,
    output: Output,
    fetch_all: bool,
) -> None:
    from rattler import PackageCache
    from rattler.exceptions import InstallerError, IoError, LinkError, TransactionError
    from rattler.package_cache import ValidationMode

    package_cache = PackageCache.new_layered([cache], validation_mode=ValidationMode.full())
    index = await package_cache.index()
    needed = [item for item in packages if fetch_all or not index.contains_record(_record(item, None))]
    archives = fetch(needed)
    records = [_record(package, archives.get(package.sha256)) for package in packages]
    try:
        with output.task(f"linking {number_of(len(packages), 'package')}", len(packages)) as task:
            await _link(records, staging, target, package_cache, _reporter(task) if output.interactive else None)
    except (InstallerError, IoError, LinkError, TransactionError) as error:
        first, _, rest = str(error).partition("\n")
        kind = DamagedCacheError if len(needed) < len(packages) else FatalError
        raise kind(f"conda packages could not be installed: {first}", detail=rest) from error


async def _link(records: list[Any], staging: Path, target: Path, package_cache: Any, reporter: Any) -> None:
    from rattler import install as rattler_install

    await rattler_install(
        records,
        staging,
        alternative_target_prefix=target,
        package_cache=package_cache,
        installed_packages=[],
        execute_link_scripts=False,
        show_progress=False,
        reporter=reporter,
    )


def _record(package: Package, archive: Path | None) -> Any:
    """A package as rattler wants it; without an archive, its URL leads nowhere: it must come from the cache."""
    from rattler import BuildString, PackageRecord, RepoDataRecord

    number = _BUILD_NUMBER.search(package.build)
    record = PackageRecord(
        name=package.name,
        version=package.version,
        build=BuildString(package.build),
        build_number=int(number.group(1)) if number else 0,
        subdir=package.subdir,
        depends=list(package.depends),
        sha256=bytes.fromhex(package.sha256),
        md5=bytes.fromhex(package.md5) if package.md5 else None,
        size=package.size,
        license=package.license,
    )
    url = archive.as_uri() if archive is not None else f"file:///not-fetched/{package.sha256}.{package.extension}"
    channel = package.url.rpartition("/")[0].removesuffix(f"/{package.subdir}")
    return RepoDataRecord(record, package.filename, url, channel)


def _write_canonical_urls(prefix: Path, packages: Iterable[Package]) -> None:
    """Let `conda-meta` name the packages' canonical URLs, not this machine's files.

    The line is replaced in the text, since parsing what lists thousands of files would cost as much as linking them.
    """
    for package in packages:
        path = prefix / "conda-meta" / f"{package.name}-{package.version}-{package.build}.json"
        data = path.read_bytes()
        start = data.index(_URL_LINE) + len(_URL_LINE)
        end = data.index(b'"', start)
        path.write_bytes(data[:start] + json.dumps(package.url)[1:-1].encode() + data[end:])


def _reporter(task: Task) -> Any:
    from rattler import InstallerReporter

    class Linked(InstallerReporter):
        def on_link_complete(self, index: int) -> None:
            del index
            task.advance()

    return Linked()  # type: ignore[abstract]  # its base has empty methods, none of them abstract
