"""An environment as a relocatable prefix in an archive, made by conda-pack, for pipelines that are built on that."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pack.writing import Written
from envtag.platforms import base_platform, current_platform
from envtag.prefix import activation, marker
from envtag.prefix.creation import hydrate
from envtag.util.canonical import sha256_file

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.store import Store

#: How a file's name ends, and what conda-pack calls that format.
FORMATS = {".tar.gz": "tar.gz", ".tgz": "tar.gz", ".tar.zst": "tar.zst", ".tar.bz2": "tar.bz2", ".tar": "tar"}


def refuse(manifest: Manifest, alias: str, target: Path) -> None:
    """Refuse what conda-pack cannot do.

    Raises:
        FatalError: The environment has no conda prefix, or is for another platform; the file's name tells no format;
            or conda-pack is not installed.
    """
    lock = manifest.lock
    if lock.interpreter != "conda":
        raise FatalError(
            f"`{alias}` has no conda prefix that conda-pack could relocate: its Python is not a conda package",
            "leave `--format conda-pack` away",
        )
    if base_platform(lock.platform) != current_platform():
        raise FatalError(
            f"conda-pack packs an installed prefix, and `{alias}` for {lock.platform} cannot be installed here",
            "leave `--format conda-pack` away: the packages as they are can be packed for any platform",
        )
    _format(target)
    if importlib.util.find_spec("conda_pack") is None:
        raise FatalError("`conda-pack` is not installed beside envtag", "`pip install 'envtag[conda-pack]'`")


def write(
    manifest: Manifest,
    target: Path,
    temporary: Path,
    *,
    store: Store | None,
    config: Config,
    offline: bool,
    output: Output,
) -> Written:
    """Create the environment in a scratch directory, and let conda-pack write it to a file.

    Args:
        manifest: The environment.
        target: The name that the file will have; it tells the format.
        temporary: The file to write.
        store: Where packages are asked for first, or None.
        config: The client's settings.
        offline: Never ask an index or a channel.
        output: For progress.

    Raises:
        FatalError: The environment cannot be created, or conda-pack refuses it.
    """
    import conda_pack

    scratch = config.directories.cache
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="packing-", dir=scratch) as place:
        prefix = Path(place, "prefix")
        hydrate(
            manifest.lock, prefix, store=store, config=config, offline=offline, output=output, builds=manifest.builds
        )
        for ours in (marker.MARKER, activation.SHELL_FILE):  # they are about this place
            (prefix / ours).unlink()
        with output.task(f"packing {target.name}"):
            try:
                conda_pack.pack(
                    prefix=str(prefix), output=str(temporary), format=_format(target), force=True, n_threads=-1
                )
            except conda_pack.CondaPackException as error:
                raise FatalError(f"conda-pack: {error}".rstrip(".").replace("\n", " ")) from error
    return Written(sha256=sha256_file(temporary), size=temporary.stat().st_size, packages=len(manifest.lock.packages))


def _format(target: Path) -> str:
    for ending, name in FORMATS.items():
        if target.name.endswith(ending):
            return name
    known = ", ".join(f"`{ending}`" for ending in FORMATS)
    raise FatalError(f"`{target.name}` does not say how conda-pack is to compress it", f"let it end in one of {known}")
