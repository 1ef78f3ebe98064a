"""`envtag pack`: environments as one file each, for machines without network."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from envtag.choice import choose, tell
from envtag.errors import FatalError
from envtag.output import megabytes
from envtag.pack import relocatable
from envtag.pack.executable import executable_of
from envtag.pack.source import archives_of, manifest_of, name_of
from envtag.pack.writing import Written, new_file, sync, write
from envtag.platforms import check_platform

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.store import Store

STDOUT = Path("-")
CONDA_PACK = "conda-pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How environments are packed, and with what.

    Attributes:
        kind: `archives` (the packages as they are) or `conda-pack` (a prefix).
        executable: Whether the file extracts itself.
        force: Replace files that are there.
        offline: Never ask an index or a channel.
        store: Where packages are asked for first, or None.
        config: The client's settings.
        output: Where it is told.
    """

    kind: str
    executable: bool
    force: bool
    offline: bool
    store: Store | None
    config: Config
    output: Output

    @property
    def extension(self) -> str:
        """What the name of a file ends in where its user gave none."""
        if self.kind == CONDA_PACK:
            return "tar.gz"
        return "sh" if self.executable else "tar"


def pack(found: Sequence[Found], *, destination: Path | None, platform: str, as_json: bool, packing: Packing) -> int:
    """Pack environments, one file each, and print the digest and name of each file.

    Args:
        found: What was looked up.
        destination: A file, or a directory where there are several; `-` for stdout; the working directory otherwise.
        platform: The platform or variant; empty for what fits this machine.
        as_json: Print a list of objects as JSON.
        packing: How.

    Returns:
        0.

    Raises:
        FatalError: An environment cannot be packed, or a file of that name has other content.
    """
    if packing.kind == CONDA_PACK and packing.executable:
        raise FatalError("`--executable` goes with the packages as they are, not with `--format conda-pack`")
    if platform:
        check_platform(platform)
    platforms = [tell(item, choose(item, platform), packing.output) for item in found]
    if destination == STDOUT:
        return _to_stdout(found, platforms[0], as_json=as_json, packing=packing)
    targets = _targets(found, destination, platforms, packing.extension)
    done = []
    for item, target, chosen in zip(found, targets, platforms, strict=True):
        manifest = manifest_of(item, chosen, packing.store)
        written = _pack_one(name_of(item), manifest, target, packing)
        done.append(_described(name_of(item), manifest, target, written))
        if not as_json:
            packing.output.data(f"sha256:{written.sha256}  {target}")
        packing.output.say(_told(name_of(item), manifest, target, written, packing))
    if as_json:
        packing.output.json(done)
    return 0


def _pack_one(alias: str, manifest: Manifest, target: Path, packing: Packing) -> Written:
    if packing.kind == CONDA_PACK:
        relocatable.refuse(manifest, alias, target)
        with new_file(target, force=packing.force) as temporary:
            return relocatable.write(
                manifest, target, temporary,
                store=packing.store, config=packing.config, offline=packing.offline, output=packing.output,
            )  # fmt: skip
    with new_file(target, force=packing.force, mode=0o755 if packing.executable else 0o644) as temporary:
        with temporary.open("wb", buffering=0) as stream:
            written = _write(cast("BinaryIO", stream), alias, manifest, packing)
            sync(cast("BinaryIO", stream))
        return written


def _write(stream: BinaryIO, alias: str, manifest: Manifest, packing: Packing) -> Written:
    output = packing.output
    with_it: dict[str, Any] = {"config": packing.config, "offline": packing.offline, "output": output}
    archives = archives_of(manifest, store=packing.store, **with_it)
    executable = executable_of(manifest, store=packing.store, **with_it) if packing.executable else None
    total = sum(path.stat().st_size for path in archives.values())
    with output.task(f"packing {alias}", total, unit="bytes") as task:
        return write(stream, alias, manifest, archives, executable=executable, progress=task.advance)


def _to_stdout(found: Sequence[Found], platform: str, *, as_json: bool, packing: Packing) -> int:
    if len(found) > 1 or as_json or packing.kind == CONDA_PACK:
        raise FatalError("`-o -` is for one packed file and nothing else", "name a file")
    manifest = manifest_of(found[0], platform, packing.store)
    with tempfile.TemporaryFile() as stream:
        written = _write(cast("BinaryIO", stream), name_of(found[0]), manifest, packing)
        stream.seek(0)
        shutil.copyfileobj(stream, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()
    packing.output.say(f"sha256:{written.sha256}")
    return 0


def _targets(found: Sequence[Found], destination: Path | None, platforms: Sequence[str], extension: str) -> list[Path]:
    """The file of each environment.

    Raises:
        FatalError: Several are to go into one file, or two would have one name.
    """
    if len(found) == 1 and destination is not None and not destination.is_dir():
        return [destination]
    if destination is not None and not destination.is_dir():
        raise FatalError(f"`{destination}` is not a directory", "several environments are packed into a file each")
    names: dict[str, str] = {}
    for item, platform in zip(found, platforms, strict=True):
        alias = name_of(item)
        name = f"{alias.replace('/', '-').replace(':', '-')}-{platform}.{extension}"
        if name in names:
            raise FatalError(f"`{names[name]}` and `{alias}` would both be packed as `{name}`", "pack them one by one")
        names[name] = alias
    return [(destination or Path()) / name for name in names]


def _described(alias: str, manifest: Manifest, target: Path, written: Written) -> Mapping[str, Any]:
    lock = manifest.lock
    return {
        "alias": alias,
        "bytes": written.size,
        "digest": f"sha256:{written.sha256}",
        "file": str(target),
        "lock": lock.id,
        "packages": written.packages,
        "platform": lock.platform,
        "request": lock.request,
    }


def _told(alias: str, manifest: Manifest, target: Path, written: Written, packing: Packing) -> str:
    said = f"packed {alias} for {manifest.lock.platform}: {written.packages} packages, {megabytes(written.size)}"
    if packing.kind == CONDA_PACK:
        return f"{said}; there: untar it and run `bin/conda-unpack`"
    if manifest.lock.interpreter == "uv":
        said += f"; Python is not in it: the machine needs Python {manifest.lock.python}"
    there = f"sh {target.name}" if packing.executable else f"envtag unpack {target.name}"
    return f"{said}; there: `{there} --prefix DIR`"
