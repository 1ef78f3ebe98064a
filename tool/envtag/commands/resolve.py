"""`envtag resolve`: from requirements to locks in the registry's work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.authoring import Draft, answered, draft, solve_draft, spec_files_of, summary, told_of_change
from envtag.claims import Claims, tags_by_name
from envtag.engine_choice import check_engines
from envtag.errors import FatalError
from envtag.names import parse_alias, parse_reference
from envtag.needs import missing, needs_file
from envtag.output import Output, megabytes
from envtag.platforms import check_platform, current_platform
from envtag.settings import EnvironmentSettings, check_extra, parse_cutoff
from envtag.spec import SpecFile, parse, python_constraint
from envtag.spec_files import SpecFiles, read_spec_files
from envtag.widening import source_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.registry import Environment, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for, as it was written.

    Attributes:
        files: Kind (`requirements`, `environment`, `pyproject`) and path of each spec file, in order.
        aliases: `NAME[:TAG]` each.
        python: Constraint on Python, empty for none.
        platforms: Platforms; none for the default ones.
        channels: conda channels, in order.
        index_url: The PyPI index in place of the default one, asked after the extra ones.
        extra_index_urls: Further PyPI indices, in order.
        exclude_newer: Date, empty for no cutoff.
        using: The environment to extend, empty for none.
        source: The environment whose request is taken over for more platforms, empty for none.
        extras: Optional dependencies of the projects that are asked for.
        groups: Dependency groups of the projects that are asked for.
        engines: Engines in place of the default ones.
        variants: Variant of a platform and path of a spec file that is for it alone, in order.
        needs: Packages and versions to have beside what the files ask for, unless the base has them.
        dry_run: Solve and tell, write nothing.
        force: Solve again although the locks answer the request; replace a release that is not committed yet.
        as_json: Print the result as JSON.
    """

    files: Sequence[tuple[str, Path]]
    aliases: Sequence[str]
    python: str = ""
    platforms: Sequence[str] = ()
    channels: Sequence[str] = ()
    index_url: str = ""
    extra_index_urls: Sequence[str] = ()
    exclude_newer: str = ""
    using: str = ""
    source: str = ""
    extras: Sequence[str] = ()
    groups: Sequence[str] = ()
    engines: Sequence[str] = ()
    variants: Sequence[tuple[str, Path]] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    force: bool = False
    as_json: bool = False


def resolve(wanted: Wanted, *, registry: Registry, config: Config, output: Output) -> int:
    """Validate everything, solve every platform, then write every alias's directory or none.

    Returns:
        0; also where every alias has this content already.

    Raises:
        AliasExistsError: An immutable tag is taken by other content.
        FatalError: Bad input, or no solution.
    """
    tags = _tags(wanted.aliases, registry)
    source = source_of(wanted.source, registry, config) if wanted.source else None
    if source is not None and not tags:
        tags = _tags([source.name], registry)
    if not tags and not wanted.dry_run:
        raise FatalError("nothing to call it by", "add `--alias NAME[:TAG]` (or `--dry-run` to see the solution only)")
    files = read_spec_files(wanted.files, wanted.variants) if source is None else source.files()
    if not files.specs:
        raise FatalError("nothing to resolve", "add `-r requirements.txt`, `-f environment.yml` or `-p pyproject.toml`")
    present = {name: _existing(registry, name) for name in tags}
    if source is None:
        drafted = _drafted(wanted, files, registry, config, list(present.values()))
    else:
        drafted = draft(source.settings(wanted.platforms), files, registry, config)
    known = [environment for environment in present.values() if environment is not None]
    if source is not None:
        source.check(drafted, present.get(source.name), wanted.aliases)
    claims = Claims(registry=registry, output=output, force=wanted.force)
    for name, environment in present.items():
        known = [*claims.check(name, tags[name], drafted, environment), *known]
    known = [source.environment, *known] if source is not None else known
    if tags and not wanted.force and all(_has_all(tags[name], drafted, present[name]) for name in tags):
        return _tell(wanted, drafted, _answered(drafted, known), tags, registry, changed=False, output=output)
    locks = _answer(drafted, known, wanted, config, output)
    if wanted.dry_run:
        return _tell(wanted, drafted, locks, tags, registry, changed=False, output=output)
    changed = claims.write(tags, drafted, locks)
    return _tell(wanted, drafted, locks, tags, registry, changed=changed, output=output)


def _tags(aliases: Sequence[str], registry: Registry) -> dict[str, list[str]]:
    """Name to its immutable tags, of aliases that can be written together."""
    tags = tags_by_name([parse_alias(text) for text in aliases])
    registry.check_writable(tags, "clone it, and resolve in the clone: `git clone …`")
    return tags


def _existing(registry: Registry, name: str) -> Environment | None:
    return registry.environment(name) if registry.has(name) else None


def _settings(
    wanted: Wanted, files: SpecFiles, registry: Registry, present: Sequence[Environment | None]
) -> EnvironmentSettings:
    if wanted.using:
        parse_reference(wanted.using)
    return EnvironmentSettings(
        spec=files.specs,
        python=python_constraint(wanted.python) if wanted.python else "",
        platforms=_platforms(wanted, files, registry, present),
        channels=tuple(wanted.channels),
        index_url=wanted.index_url,
        extra_index_urls=tuple(wanted.extra_index_urls),
        exclude_newer=parse_cutoff(wanted.exclude_newer) if wanted.exclude_newer else "",
        base=wanted.using,
        virtual_packages=_declared(present),
        extras=tuple(dict.fromkeys(check_extra(name) for name in wanted.extras)),
        groups=tuple(dict.fromkeys(check_extra(name) for name in wanted.groups)),
        engines=check_engines(wanted.engines),
        variants=files.variants,
    )


def _declared(present: Sequence[Environment | None]) -> Mapping[str, Mapping[str, str]]:
    """The virtual packages that an alias has declared already: nothing but its `envtag.yml` can say them."""
    declared = (item.settings.virtual_packages for item in present if item is not None)
    return next((packages for packages in declared if packages), {})


def _drafted(
    wanted: Wanted, files: SpecFiles, registry: Registry, config: Config, present: Sequence[Environment | None]
) -> Draft:
    """What is asked for, with those of the needs that neither it nor its base has."""
    drafted = draft(_settings(wanted, files, registry, present), files, registry, config)
    if not wanted.needs:
        return drafted
    named = [{package.name for package in lock.packages} for lock in drafted.base_locks.values()]
    spec = parse([SpecFile(name=name, data=files.data(name)) for name in files.specs], files.data)
    more = needs_file(missing(wanted.needs, set.intersection(*named) if named else ()), spec)
    if more is None:
        return drafted
    files = replace(files, specs=(*files.specs, more.name), files=(*files.files, more))
    return draft(_settings(wanted, files, registry, present), files, registry, config)


def _platforms(
    wanted: Wanted, files: SpecFiles, registry: Registry, present: Sequence[Environment | None]
) -> tuple[str, ...]:
    """The platforms to lock: those asked for, those that the alias has, those of the spec or the registry, or this."""
    if wanted.platforms:
        return tuple(dict.fromkeys(check_platform(name) for name in (*wanted.platforms, *files.variants)))
    had = [name for environment in present if environment is not None for name in environment.settings.platforms]
    if had or files.variants:
        return tuple(dict.fromkeys((*had, *files.variants)))
    spec = parse([SpecFile(name=name, data=files.data(name)) for name in files.specs], files.data)
    return spec.platforms or registry.settings.platforms or (current_platform(),)


def _has_all(tags: Sequence[str], drafted: Draft, environment: Environment | None) -> bool:
    """Whether a name's tags, or its directory where none is asked for, hold what is asked for on the same platforms."""
    if environment is None:
        return False
    wanted = set(drafted.settings.platforms)
    if not tags:
        same = (environment.settings, spec_files_of(environment)) == (drafted.settings, drafted.files)
        return same and set(answered(drafted, environment)) == wanted
    releases = [environment.ledger.release(tag) for tag in tags]
    return all(item is not None and item.request == drafted.id and set(item.locks) == wanted for item in releases)


def _answer(
    drafted: Draft, known: Sequence[Environment], wanted: Wanted, config: Config, output: Output
) -> dict[str, Lock]:
    """The locks of the draft: those that are there already are kept, the others are solved."""
    kept = {} if wanted.force else _answered(drafted, known)
    missing = [name for name in drafted.settings.platforms if name not in kept]
    solved = solve_draft(drafted, missing, config=config, output=output)
    settings = drafted.settings
    return {
        name: solved[name] if name in solved else kept[name]._replace(sources=settings.sources(name))
        for name in settings.platforms
    }


def _answered(drafted: Draft, known: Sequence[Environment]) -> dict[str, Lock]:
    """The locks that answer a draft already, from the first environment that has one for a platform."""
    kept: dict[str, Lock] = {}
    for environment in known:
        kept = {**answered(drafted, environment), **kept}
    return kept


def _tell(
    wanted: Wanted,
    drafted: Draft,
    locks: Mapping[str, Lock],
    tags: Mapping[str, Sequence[str]],
    registry: Registry,
    *,
    changed: bool,
    output: Output,
) -> int:
    if wanted.as_json:
        result: dict[str, Any] = {
            "request": drafted.id,
            "platforms": {name: summary(lock) for name, lock in locks.items()},
            "aliases": sorted(f"{name}:{tag}" for name, found in tags.items() for tag in (*found, "latest")),
            "changed": changed,
            "dry_run": wanted.dry_run,
        }
        output.json(result)
        return 0
    width = max([14, *map(len, locks)])
    for name, lock in locks.items():
        output.data(f"{name:<{width}} {_sentence(lock)}")
    if wanted.dry_run:
        output.say(f"dry run of request {drafted.id[:12]}: nothing was written")
    elif changed:
        wrote, following = told_of_change(list(tags), registry)
        output.say(f"{wrote} (request {drafted.id[:12]})")
        output.say(f"next: {following}")
    else:
        output.say("every alias has this content already, nothing to do")
    return 0


def _sentence(lock: Lock) -> str:
    """What a lock holds, in words; a size only where every package states its own."""
    counts = [(len(lock.by_manager("conda")), "conda"), (len(lock.by_manager("pypi")), "PyPI")]
    packages = " and ".join(f"{count} {world}" for count, world in counts if count) or "no"
    packages += " package" if sum(count for count, _ in counts) == 1 else " packages"
    python = f"Python {lock.python} from {lock.interpreter}, " if lock.python else ""
    sizes = [package.size for package in lock.packages]
    total = f", {megabytes(sum(size or 0 for size in sizes))}" if sizes and None not in sizes else ""
    return f"{python}{packages}{total}, lock {lock.id[:12]}"
