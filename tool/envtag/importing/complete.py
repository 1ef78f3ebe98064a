"""What a file does not say of its packages: which archive, which hashes, how big; fetched, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag import git_source
from envtag.errors import FatalError
from envtag.importing import channels, hashes, index
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.importing.model import Choice, Entry, Imported
    from envtag.output import Output
    from envtag.package import Package

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Packages with all that a lock holds of them.

    Attributes:
        packages: Platform to packages.
        fetched: What was not in the files, in words, for people.
    """

    packages: Mapping[str, tuple[Package, ...]]
    fetched: tuple[str, ...]


def complete(imported: Imported, choice: Choice, *, config: Config, offline: bool, output: Output) -> Completed:
    """Fetch what entries lack; a hash that is stated is held to, never replaced.

    Args:
        imported: What files say.
        choice: For which Python and which virtual packages wheels must be.
        config: For mirrors and caches.
        offline: Ask nobody; what is not needed to lock (sizes, licences) is left out.
        output: For progress, and for channels that do not answer.

    Raises:
        FatalError: Something that a lock must hold cannot be had, or somebody states another hash.
    """
    job = _Job(config=config, offline=offline, output=output, fetched=[])
    entries = dict(imported.entries)
    for platform, found in entries.items():
        if any(not entry.package.url for entry in found):
            entries[platform] = job.located(platform, found, imported, choice)
    done: dict[str, Package] = {}
    every = {entry.package.url: entry for found in entries.values() for entry in found}
    done.update(job.of_channels(every.values()))
    done.update(job.of_archives([replace(entry, package=done.get(url, entry.package)) for url, entry in every.items()]))
    done.update(job.sized([done.get(url, entry.package) for url, entry in every.items()]))
    packages = {
        platform: tuple(done.get(entry.package.url, entry.package) for entry in found)
        for platform, found in entries.items()
    }
    return Completed(packages=packages, fetched=tuple(job.fetched))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One call of `complete`; see there."""

    config: Config
    offline: bool
    output: Output
    fetched: list[str]

    def located(self, platform: str, entries: Sequence[Entry], imported: Imported, choice: Choice) -> tuple[Entry, ...]:
        """The entries of a platform, those that name no URL with the archive that an index has for them."""
        wanted = [entry for entry in entries if not entry.package.url]
        if self.offline:
            raise FatalError(
                f"{wanted[0].where}: only an index can say where `{wanted[0].package}` is, and this is offline",
                "run it without `--offline`",
            )
        python = choice.pythons.get(platform) or imported.python
        with self.output.task(f"finding {number_of(len(wanted), 'file')} for {platform}"):
            found = index.locate(
                wanted,
                platform=platform,
                python=python,
                index_url=imported.index_url,
                extra_index_urls=imported.extra_index_urls,
                virtual_packages=choice.virtual_packages[platform],
                config=self.config,
            )
        bare = [entry.package for entry in wanted if not entry.hashes]
        if bare:
            self.fetched.append(f"hashes of {_named(bare)}, as the index states them for {platform}")
        return tuple(found.get(entry.package.name, entry) if not entry.package.url else entry for entry in entries)

    def of_channels(self, entries: Iterable[Entry]) -> dict[str, Package]:
        """Conda packages that lack something, as their channels complete them."""
        lacking = {entry.package.url: entry for entry in entries if _lacks(entry.package)}
        if self.offline or not lacking:
            return {}
        with self.output.task(f"asking channels about {number_of(len(lacking), 'package')}"):
            found, silent = channels.records(
                [entry.package for entry in lacking.values()],
                mirrors=self.config.mirrors,
                repodata_cache=self.config.directories.repodata,
            )
        for channel in silent:
            self.output.warn(f"channel `{channel}` cannot be read: what it could say of its packages is not known")
        done = {url: _merged(lacking[url], record) for url, record in found.items()}
        before = {url: lacking[url].package for url in done}
        self._tell("sha256", before, done, "as their channels state them", lambda item: not item.sha256)
        self._tell("md5", before, done, "as their channels state them", lambda item: not item.md5)
        self._tell("size", before, done, "as their channels state them", lambda item: item.size is None)
        return done

    def of_archives(self, entries: Sequence[Entry]) -> dict[str, Package]:
        """Packages that have no full set of hashes yet, from their archives."""
        done: dict[str, Package] = {}
        lacking = [entry for entry in entries if not entry.package.sha256 or _lacks_md5(entry.package)]
        if lacking and self.offline:
            raise FatalError(
                f"{lacking[0].where}: states no full set of hashes of {lacking[0].package}, and this is offline",
                "run it without `--offline`",
            )
        for entry in lacking:
            if entry.package.is_commit:
                done[entry.package.url] = git_source.locked(
                    entry.package, directories=self.config.directories, mirrors=self.config.mirrors
                )
        plain = [entry for entry in lacking if not entry.package.is_commit]
        if plain:
            done.update(hashes.hashed(plain, config=self.config, output=self.output))
        if lacking:
            self.fetched.append(f"hashes of {_named([entry.package for entry in lacking])}, by downloading them")
        return done

    def sized(self, packages: Sequence[Package]) -> dict[str, Package]:
        """PyPI packages whose size is not stated, as their server states it."""
        lacking = [item for item in packages if item.manager == "pypi" and item.size is None and not item.is_commit]
        if self.offline or not lacking:
            return {}
        found = hashes.sizes(lacking, config=self.config)
        done = {item.url: item._replace(size=found[item.url]) for item in lacking if item.url in found}
        if done:
            self.fetched.append(f"size of {_named(list(done.values()))}, as their servers state it")
        return done

    def _tell(
        self,
        what: str,
        before: Mapping[str, Package],
        after: Mapping[str, Package],
        how: str,
        lacks: Callable[[Package], bool],
    ) -> None:
        gained = [after[url] for url, package in before.items() if lacks(package) and not lacks(after[url])]
        if gained:
            self.fetched.append(f"{what} of {_named(gained)}, {how}")


def _lacks(package: Package) -> bool:
    return package.manager == "conda" and not (package.sha256 and package.md5 and package.size is not None)


def _lacks_md5(package: Package) -> bool:
    return package.manager == "conda" and not package.md5


def _merged(entry: Entry, record: Package) -> Package:
    """What a file states of a package, and what only its channel does.

    Raises:
        FatalError: They state different hashes.
    """
    package = entry.package
    for kind in ("sha256", "md5"):
        stated, other = getattr(package, kind), getattr(record, kind)
        if stated and stated != other:
            raise FatalError(
                f"{entry.where}: states {kind} {stated} of {package}, and its channel states {other}",
                "nothing was imported; one of them was tampered with, or the package was replaced",
            )
    return package._replace(
        sha256=record.sha256,
        md5=record.md5,
        size=package.size if package.size is not None else record.size,
        license=package.license or record.license,
        timestamp=package.timestamp if package.timestamp is not None else record.timestamp,
        depends=package.depends or record.depends,
    )


def _named(packages: Sequence[Package]) -> str:
    names = ", ".join(package.name for package in packages[:_SHOWN])
    more = f" and {len(packages) - _SHOWN} more" if len(packages) > _SHOWN else ""
    return f"{len(packages)} package{'s' if len(packages) > 1 else ''} ({names}{more})"
