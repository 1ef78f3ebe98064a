"""`envtag import`: locks of other tools, taken over package by package and hash by hash, without solving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.authoring import Draft, draft, summary, told_of_change
from envtag.claims import Claims, tags_by_name
from envtag.errors import FatalError
from envtag.importing import Choice, Imported, format_of, open_source
from envtag.importing.complete import Completed, complete
from envtag.importing.drafting import (
    Origin,
    check_whole,
    locks_of,
    origin_of,
    provided_by_conda,
    settings_of,
    spec_files_of,
)
from envtag.importing.installed import check_installed
from envtag.importing.satisfied import check_satisfied
from envtag.importing.together import conda_pythons, has_conda, minor_python, read_together
from envtag.names import parse_alias
from envtag.platforms import PLATFORMS, check_platform, current_platform, virtual_packages
from envtag.spec_files import read_spec_files

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for, as it was written.

    Attributes:
        files: The files to import, or prefixes.
        specs: Kind and path of spec files that people go on editing, in place of generated pins.
        kind: Their format, None for what each looks like.
        aliases: `NAME[:TAG]` each.
        platforms: Platforms; none for all that the files are of.
        environment: The environment of a pixi.lock.
        categories: Categories of a conda-lock.yml; none for `main`.
        extras: Extras of a pylock.toml or uv.lock.
        groups: Dependency groups of a pylock.toml or uv.lock.
        root: The root package of a uv.lock.
        python: The version of Python, where the files do not say which.
        index_url: Where pinned packages are that the files name no URL of, in place of the default index.
        extra_index_urls: Further indices.
        allow_missing: Import although something that a package needs is not there.
        offline: Ask no index, channel or server.
        dry_run: Read and tell, write nothing.
        force: Replace a release that is not committed yet.
        as_json: Print the result as JSON.
    """

    files: Sequence[Path]
    specs: Sequence[tuple[str, Path]] = ()
    kind: str | None = None
    aliases: Sequence[str] = ()
    platforms: Sequence[str] = ()
    environment: str = ""
    categories: Sequence[str] = ()
    extras: Sequence[str] = ()
    groups: Sequence[str] = ()
    root: str = ""
    python: str = ""
    index_url: str = ""
    extra_index_urls: Sequence[str] = ()
    allow_missing: bool = False
    offline: bool = False
    dry_run: bool = False
    force: bool = False
    as_json: bool = False


def import_files(wanted: Wanted, *, registry: Registry, config: Config, output: Output) -> int:
    """Read files, fetch what they do not state, check it, then write every alias's directory or none.

    Returns:
        0; also where every alias has this content already.

    Raises:
        AliasExistsError: An immutable tag is taken by other content.
        FatalError: A file is malformed or not whole, or something of it cannot be had.
    """
    tags = tags_by_name([parse_alias(text) for text in wanted.aliases])
    registry.check_writable(tags, "clone it, and import in the clone: `git clone …`")
    if not tags and not wanted.dry_run:
        raise FatalError("nothing to call it by", "add `--alias NAME[:TAG]` (or `--dry-run` to see what is in it)")
    sources = [open_source(path) for path in wanted.files]
    choice = _choice(wanted, registry)
    imported = read_together([(source, wanted.kind or format_of(source)) for source in sources], choice)
    imported = replace(
        imported,
        python=minor_python(imported, choice),
        index_url=wanted.index_url or imported.index_url,
        extra_index_urls=tuple(wanted.extra_index_urls) or imported.extra_index_urls,
    )
    choice = replace(choice, pythons=conda_pythons(imported))
    for note in imported.notes:
        output.say(note)
    completed = complete(imported, choice, config=config, offline=wanted.offline, output=output)
    for source in sources:
        if source.path.is_dir():
            for platform, entries in imported.entries.items():
                check_installed(source.path, entries, completed.packages[platform], config=config, output=output)
    check_whole(completed.packages, allow=wanted.allow_missing, config=config, output=output)
    origin = origin_of([(source, wanted.kind or format_of(source)) for source in sources])
    drafted = _draft(wanted, imported, completed, origin, registry=registry, config=config, output=output)
    locks = locks_of(drafted, completed.packages, imported.python, origin)
    if wanted.dry_run:
        return _tell(wanted, drafted, locks, completed, tags, registry, changed=False, output=output)
    changed = _write(tags, drafted, locks, registry, Claims(registry=registry, output=output, force=wanted.force))
    return _tell(wanted, drafted, locks, completed, tags, registry, changed=changed, output=output)


def _draft(
    wanted: Wanted,
    imported: Imported,
    completed: Completed,
    origin: Origin,
    *,
    registry: Registry,
    config: Config,
    output: Output,
) -> Draft:
    """The environment's files: the spec that was given, which must be met, or every package pinned."""
    packages, conda = completed.packages, has_conda(imported)
    if not wanted.specs:
        files = spec_files_of(imported, packages, origin)
        return draft(settings_of(imported, packages, files, origin, conda=conda), files, registry, config)
    files = read_spec_files(wanted.specs)  # it says by itself where packages are
    extra = tuple(wanted.extra_index_urls)
    imported = replace(imported, index_url=wanted.index_url, extra_index_urls=extra)
    chosen = (wanted.extras, wanted.groups) if any(kind == "pyproject" for kind, _ in wanted.specs) else ((), ())
    extras, groups = map(tuple, chosen)
    settings = settings_of(imported, packages, files, origin, conda=conda, extras=extras, groups=groups)
    drafted = draft(settings, files, registry, config)
    both = conda and bool(drafted.request.pypi)
    provided = provided_by_conda(packages, config=config, output=output) if both else {}
    check_satisfied(drafted.request, packages, provided, python=imported.python)
    return drafted


def _choice(wanted: Wanted, registry: Registry) -> Choice:
    from packaging.utils import canonicalize_name

    declared = registry.settings.virtual_packages
    return Choice(
        platforms=tuple(dict.fromkeys(check_platform(name) for name in wanted.platforms)),
        usual=registry.settings.platforms or (current_platform(),),
        environment=wanted.environment,
        categories=tuple(wanted.categories) or ("main",),
        extras=tuple(canonicalize_name(name) for name in wanted.extras),
        groups=tuple(canonicalize_name(name) for name in wanted.groups),
        root=canonicalize_name(wanted.root) if wanted.root else "",
        python=_python(wanted.python),
        virtual_packages={name: virtual_packages(name, declared.get(name, {})) for name in PLATFORMS},
    )


def _python(text: str) -> str:
    """A version of Python: `3.12` or `3.12.4`."""
    parts = text.split(".")
    if text and not (2 <= len(parts) <= 3 and all(part.isdigit() for part in parts)):  # noqa: PLR2004
        raise FatalError(f"`--python {text}` is not one version of Python", "for example `--python 3.12`")
    return text


def _write(
    tags: Mapping[str, Sequence[str]], drafted: Draft, locks: Mapping[str, Lock], registry: Registry, claims: Claims
) -> bool:
    """Write every alias's directory, once each tag is known to be free; whether anything is new."""
    present = {name: registry.environment(name) if registry.has(name) else None for name in tags}
    for name, environment in present.items():
        claims.check(name, tags[name], drafted, environment)
    return claims.write(tags, drafted, locks)


def _tell(
    wanted: Wanted,
    drafted: Draft,
    locks: Mapping[str, Lock],
    completed: Completed,
    tags: Mapping[str, Sequence[str]],
    registry: Registry,
    *,
    changed: bool,
    output: Output,
) -> int:
    if wanted.as_json:
        result: dict[str, Any] = {
            "request": drafted.id,
            "imported": list(drafted.settings.imported),
            "platforms": {name: summary(lock) for name, lock in locks.items()},
            "fetched": list(completed.fetched),
            "aliases": sorted(f"{name}:{tag}" for name, found in tags.items() for tag in (*found, "latest")),
            "changed": changed,
            "dry_run": wanted.dry_run,
        }
        output.json(result)
        return 0
    for text in completed.fetched:
        output.say(f"fetched, since it was not stated: {text}")
    width = max([14, *map(len, locks)])
    for name, lock in locks.items():
        output.data(f"{name:<{width}} {_sentence(lock)}")
    if wanted.dry_run:
        output.say(f"dry run of request {drafted.id[:12]}: nothing was written")
    elif changed:
        wrote, following = told_of_change(list(tags), registry)
        output.say(f"{wrote} (request {drafted.id[:12]}), nothing was solved")
        output.say(f"next: {following}")
    else:
        output.say("every alias has this content already, nothing to do")
    return 0


def _sentence(lock: Lock) -> str:
    counts = [(len(lock.by_manager("conda")), "conda"), (len(lock.by_manager("pypi")), "PyPI")]
    packages = " and ".join(f"{count} {world}" for count, world in counts if count)
    packages += " package" if len(lock.packages) == 1 else " packages"
    python = f"Python {lock.python} from {lock.interpreter}, " if lock.python else ""
    return f"{python}{packages}, lock {lock.id[:12]}"
