"""Scripts that uv writes into a conda prefix name the directory it was built in: let them name the final one."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from envtag.errors import FatalError


def relocate(staging: Path, target: Path, site: Path) -> None:
    """Rewrite installed scripts that name the staging directory, and their lines of `RECORD`.

    The staging path is never shorter than the final one, so a `#!` line that fitted still fits.

    Args:
        staging: The prefix as it was built.
        target: What it will be renamed to.
        site: Its site-packages.

    Raises:
        FatalError: A binary launcher (Windows) names the staging directory: it cannot be rewritten.
    """
    old, new = str(staging).encode(), str(target).encode()
    for record in sorted(site.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        changed = [row for row in _scripts(rows) if _rewrite(site / row[0], old, new)]
        for row in changed:
            data = (site / row[0]).read_bytes()
            row[1:] = [_record_hash(data), str(len(data))]
        if changed:
            _replace(record, _to_csv(rows))


def _scripts(rows: Iterable[list[str]]) -> list[list[str]]:
    return [row for row in rows if row and row[0].startswith("../") and row[0].split("/")[-2] in {"bin", "Scripts"}]


def _rewrite(path: Path, old: bytes, new: bytes) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    data = path.read_bytes()
    if old not in data:
        return False
    if b"\0" in data:
        raise FatalError(f"`{path.name}` is a binary launcher that names the directory it was built in")
    _replace(path, data.replace(old, new))
    return True


def _replace(path: Path, data: bytes) -> None:
    """Write a file anew: the old one may be a hard link into a cache."""
    mode = path.stat().st_mode
    path.unlink()
    path.write_bytes(data)
    path.chmod(mode & 0o7777)


def _record_hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def _to_csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
