"""Stub wheels: how uv is told which dists conda packages bring, at versions that no index need know."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from envtag.util.canonical import sha256_hex
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.engines import Dist

_DATE = (1980, 1, 1, 0, 0, 0)


def stub_wheel(dist: Dist, directory: Path) -> Path | None:
    """An empty wheel of a dist's name and version, with what its extras need; None if PEP 440 has no such version.

    The same dist gives the same file with the same bytes, so a directory of them is shared by any number of processes.

    Args:
        dist: What a conda package brings.
        directory: Where stubs are kept.
    """
    try:
        version = str(Version(dist.version))
    except InvalidVersion:
        return None
    stem = f"{dist.name.replace('-', '_')}-{version}"
    lines = [f"Provides-Extra: {name}\n" for name in dist.extras or ()]
    lines += [f"Requires-Dist: {text}\n" for text in dist.requires]
    below = sha256_hex("".join(lines).encode())[:16] if lines else ""
    path = directory / below / f"{stem}-py3-none-any.whl"
    if not path.is_file():
        write_atomic(path, _content(dist.name, version, f"{stem}.dist-info", "".join(lines)))
    return path


def _content(name: str, version: str, info: str, lines: str) -> bytes:
    members = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: envtag\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, text in members.items():
            archive.writestr(zipfile.ZipInfo(f"{info}/{member}", _DATE), text)
    return buffer.getvalue()
