"""Large data sets that may lie beside the checkout; nothing of them is in it."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

from envtag.util.files import remove_tree
from envtag.util.locks import file_lock
from support.channel import CACHE

_SUBSET = Path(__file__).parents[3] / "shared" / "data" / "conda-forge-subset.tar.zst"


def conda_forge_subset() -> tuple[Path | None, str]:
    """A channel directory of real conda-forge records, without package bytes; or None and why there is none."""
    if not _SUBSET.is_file():
        return None, "the conda-forge subset does not lie beside the checkout"
    target = CACHE / f"conda-forge-subset-{_SUBSET.stat().st_size}"
    with file_lock(CACHE / "subset.lock"):
        if not target.is_dir():
            staging = target.with_suffix(".unpacking")
            remove_tree(staging)
            _unpack(_SUBSET, staging)
            staging.rename(target)
    return target / "conda-forge", ""


def _unpack(archive: Path, target: Path) -> None:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    with zstd.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
        if hasattr(tarfile, "data_filter"):
            members.extractall(target, filter="data")
        else:
            members.extractall(target)
