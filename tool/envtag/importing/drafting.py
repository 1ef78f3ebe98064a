"""From imported packages to what a registry keeps: provenance, settings, a spec of pins, and locks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NewType

from envtag.dists import provided_dists
from envtag.engines.python_version import minor_of
from envtag.errors import FatalError
from envtag.importing.closed import Gap, gaps
from envtag.importing.pins import spec_of
from envtag.lock import Lock
from envtag.platforms import PLATFORMS, declared_for, virtual_packages
from envtag.settings import EnvironmentSettings
from envtag.spec_files import SpecFiles
from envtag.urls import channel_name
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.authoring import Draft
    from envtag.config import Config
    from envtag.importing.model import Imported, Source
    from envtag.output import Output
    from envtag.package import Package

#: What was imported, one text a file: `FORMAT NAME sha256:HEX`.
Origin = NewType("Origin", tuple[str, ...])
_SHOWN = 20
_UNFIT = re.compile(r"[^\w.+-]")


def origin_of(sources: Sequence[tuple[Source, str]]) -> Origin:
    """What files are recorded as: format, name without directories and blanks, and digest of their bytes."""
    texts = (f"{kind} {_UNFIT.sub('_', source.name)} sha256:{_digest(source)}" for source, kind in sources)
    return Origin(tuple(dict.fromkeys(texts)))


def _digest(source: Source) -> str:
    """SHA-256 of a file, or of what a prefix records of its conda packages."""
    if not source.path.is_dir():
        return sha256_hex(source.data)
    digest = hashlib.sha256()
    for path in sorted((source.path / "conda-meta").glob("*.json")):
        digest.update(f"{path.name} {sha256_hex(path.read_bytes())}\n".encode())
    return digest.hexdigest()


def spec_files_of(imported: Imported, packages: Mapping[str, Sequence[Package]], origin: Origin) -> SpecFiles:
    """The pins of everything that was imported, as the environment's spec."""
    direct = {entry.package.name for found in imported.entries.values() for entry in found if entry.direct}
    conda = any(package.manager == "conda" for found in packages.values() for package in found)
    names = ", ".join(text.split()[1] for text in origin)
    file = spec_of(packages, direct, imported.channels, conda=conda, origin=names)
    return SpecFiles(specs=(file.name,), files=(file,))


def settings_of(
    imported: Imported,
    packages: Mapping[str, Sequence[Package]],
    files: SpecFiles,
    origin: Origin,
    *,
    conda: bool,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> EnvironmentSettings:
    """The `envtag.yml` of an imported environment; channels are named where no environment.yml can name them.

    Args:
        imported: For indices, channels and Python.
        packages: Platform to packages.
        files: The spec.
        origin: What it was imported from.
        conda: Whether Python comes from conda.
        extras: The extras of a pyproject.toml that its spec asks for.
        groups: The dependency groups of it.
    """
    by_spec = any(name.endswith((".yml", ".yaml")) for name in files.specs)
    return EnvironmentSettings(
        spec=files.specs,
        python=f"=={imported.python}.*" if imported.python else "",
        interpreter="conda" if conda else "uv",
        platforms=tuple(name for name in PLATFORMS if name in packages),
        channels=() if by_spec else tuple(map(channel_name, imported.channels)),
        index_url=imported.index_url,
        extra_index_urls=imported.extra_index_urls,
        extras=extras,
        groups=groups,
        imported=origin,
    )


def locks_of(drafted: Draft, packages: Mapping[str, Sequence[Package]], python: str, origin: Origin) -> dict[str, Lock]:
    """Platform to the lock of exactly these packages; see `solve.solve` for what a lock says beside them."""
    from envtag.lock.content_hash import content_hash

    request = drafted.request
    locks = {}
    for platform in drafted.settings.platforms:
        found = packages[platform]
        version = next((item.version for item in found if item.key == ("conda", "python")), "")
        locks[platform] = Lock(
            platform=platform,
            request=drafted.id,
            interpreter=request.interpreter,
            python=python or (minor_of(version) if version else ""),
            packages=tuple(sorted(found, key=lambda package: package.key)),
            channels=request.channels,
            sources=drafted.settings.spec,
            content_hash=content_hash(request, platform),
            virtual_packages=virtual_packages(platform, declared_for(platform, request.virtual_packages)),
            imported="; ".join(origin),
        )
    return locks


def provided_by_conda(
    packages: Mapping[str, Sequence[Package]], *, config: Config, output: Output
) -> dict[str, dict[str, str]]:
    """Platform to the PyPI dists that its conda packages bring: name to version."""
    return {
        platform: {
            dist.name: dist.version
            for dist in provided_dists(
                found, mirrors=config.mirrors, directories=config.directories, store=None, output=output
            )
        }
        for platform, found in packages.items()
    }


def check_whole(packages: Mapping[str, Sequence[Package]], *, allow: bool, config: Config, output: Output) -> None:
    """Refuse packages whose needs are not there; say where one is there that is not what is asked for.

    Raises:
        FatalError: Something is missing, and that is not allowed.
    """
    for platform, found in packages.items():
        open_ends = gaps(found, {})
        if any(gap.package.manager == "pypi" for gap in open_ends) and len({item.manager for item in found}) > 1:
            open_ends = gaps(found, provided_by_conda({platform: found}, config=config, output=output)[platform])
        missing = [gap for gap in open_ends if not gap.found]
        if missing and not allow:
            raise FatalError(
                f"not whole on `{platform}`: {missing[0]}",
                "import all of it (categories, groups, extras), or say `--allow-missing` if that is how it runs",
                _listed(missing) if len(missing) > 1 else "",
            )
        for gap in open_ends if allow else [gap for gap in open_ends if gap.found]:
            output.warn(f"{platform}: {gap}; it is kept as it was")


def _listed(found: Sequence[Gap]) -> str:
    more = f"\n… and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "\n".join(str(gap) for gap in found[:_SHOWN]) + more
