"""Whether a created environment is what was installed, file by file: by the hashes that its packages' records state.

conda's records (`conda-meta/*.json`) state a hash for each file as it was written, and so does a wheel's `RECORD`. Both
lie in the prefix themselves: who rewrites a file and its record is found by a comparison with the archives alone.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envtag.errors import FatalError
from envtag.prefix import layout, marker
from envtag.util.canonical import sha256_file, sha256_hex
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.lock import Lock

_THREADS = 8
_AT_ONCE = 64
_SMALL = 1 << 20
_DIST = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info\Z")
#: Written beside packages, by envtag, conda, uv and Python itself.
_OWN_DIRECTORIES = frozenset({"conda-meta", "__pycache__"})
_OWN_FILES = frozenset({"CACHEDIR.TAG", ".gitignore", ".lock"})
_OF_VENVS = re.compile(
    r"pyvenv\.cfg|lib64|(bin|Scripts)/(python|pythonw|activate|deactivate|pydoc)[^/]*"
    r"|.*/_virtualenv\.(py|pth)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as it was installed.

    Attributes:
        kind: `marker`, `package` or `file`.
        subject: A package, or a path below the prefix.
        expected: What it should be.
        found: What it is.
    """

    kind: str
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found in a prefix.

    Attributes:
        faults: What is missing, changed or too much.
        extra: Files that are of no package, which may be a user's own; caches of Python are left out.
        files: How many files were compared.
        bytes: How much they hold.
    """

    faults: tuple[Fault, ...]
    extra: tuple[str, ...]
    files: int
    bytes: int


class _Claim(NamedTuple):
    """What a package says of one file: SHA-256 in hex, empty where it states none, and whether it is a link."""

    sha256: str
    original: str
    link: bool
    directory: bool


def audit(prefix: Path, lock: Lock | None = None) -> Audit:
    """Compare an environment with what its packages' records say, and with a lock.

    Args:
        prefix: Its directory.
        lock: What it must have been made from; None for no comparison of packages.

    Raises:
        FatalError: A record of a package cannot be read.
    """
    found = marker.read(prefix)
    if found is None:
        fault = Fault(
            kind="marker", subject=str(marker.MARKER), expected="a whole environment of envtag's", found="none"
        )
        return Audit(faults=(fault,), extra=(), files=0, bytes=0)
    faults: list[Fault] = []
    if lock is not None and found.lock != lock.id:
        faults.append(Fault(kind="marker", subject="lock", expected=lock.id, found=found.lock))
    records = _conda_records(prefix)
    claims: defaultdict[str, list[_Claim]] = defaultdict(list)
    for record in records:
        for path, claim in _conda_claims(record):
            claims[path].append(claim)
    site = layout.site_packages(prefix, ".".join(found.python.split(".")[:2]))
    dists = _dists(site, prefix, claims)
    for dist in dists:
        for path, claim in _wheel_claims(dist, site, prefix, faults):
            claims[path].append(claim)
    if lock is not None:
        faults += _packages(lock, records, dists)
    compared = _compare(prefix, claims)
    faults += [fault for fault, _ in compared if fault is not None]
    extra = tuple(sorted(_extra(prefix, claims, venv=layout.is_venv(prefix))))
    return Audit(faults=tuple(faults), extra=extra, files=len(compared), bytes=sum(size for _, size in compared))


def _conda_records(prefix: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            record = json.loads(path.read_bytes())
            records.append({key: record[key] for key in ("name", "version", "build", "sha256", "paths_data")})
        except (ValueError, KeyError, TypeError) as error:  # noqa: PERF203 - which file it was is told
            raise FatalError(f"`{path}` is no record of a package: {error}", "create the environment anew") from error
    return records


def _conda_claims(record: Mapping[str, Any]) -> Iterator[tuple[str, _Claim]]:
    for item in record["paths_data"].get("paths", ()):
        original = item.get("sha256") or ""
        kind = item.get("path_type")
        yield (
            item["_path"],
            _Claim(item.get("sha256_in_prefix") or original, original, kind == "softlink", kind == "directory"),
        )


def _dists(site: Path, prefix: Path, conda: Mapping[str, Any]) -> list[Path]:
    """The PyPI packages: those whose `RECORD` is of no conda package."""
    found = sorted(site.glob("*.dist-info"))
    return [path for path in found if (path / "RECORD").relative_to(prefix).as_posix() not in conda]


def _wheel_claims(dist: Path, site: Path, prefix: Path, faults: list[Fault]) -> Iterator[tuple[str, _Claim]]:
    record = dist / "RECORD"
    try:
        with record.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (FileNotFoundError, UnicodeDecodeError, csv.Error) as error:
        name = record.relative_to(prefix).as_posix()
        found = "none" if isinstance(error, FileNotFoundError) else f"something else: {error}"
        faults.append(Fault(kind="file", subject=name, expected="the record of a wheel", found=found))
        return
    for row in rows:
        path = Path(os.path.normpath(site / row[0]))
        if path.suffix == ".pyc" or not path.is_relative_to(prefix):
            continue
        kind, _, text = row[1].partition("=") if len(row) > 1 else ("", "", "")
        sha256 = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex() if kind == "sha256" else ""
        yield path.relative_to(prefix).as_posix(), _Claim(sha256, sha256, link=False, directory=False)


def _packages(lock: Lock, records: Iterable[Mapping[str, Any]], dists: Iterable[Path]) -> Iterator[Fault]:
    """Packages that are missing, too many, or others than the lock's."""
    wanted = {f"conda {item.name}": f"{item} {item.sha256}" for item in lock.by_manager("conda")}
    there = {f"conda {item['name']}": _conda_text(item) for item in records}
    wanted |= {f"pypi {_normal(item.name)}": item.version for item in lock.by_manager("pypi")}
    for path in dists:
        match = _DIST.match(path.name)
        if match is not None:
            there[f"pypi {_normal(match['name'])}"] = match["version"]
    for name in sorted({*wanted, *there}):
        expected, found = wanted.get(name, "none"), there.get(name, "none")
        if not _is_same(name, expected, found):
            yield Fault(kind="package", subject=name, expected=expected, found=found)


def _conda_text(record: Mapping[str, Any]) -> str:
    return f"{record['name']} {record['version']} {record['build']} {record['sha256']}"


def _is_same(name: str, expected: str, found: str) -> bool:
    """Whether two versions are one: installers of wheels write `1.0+local` and `1.0` in their plain forms."""
    if expected == found or name.startswith("conda ") or "none" in (expected, found):
        return expected == found
    from packaging.version import InvalidVersion, Version

    try:
        return Version(expected) == Version(found.replace("_", "+", 1) if "+" in expected else found)
    except InvalidVersion:
        return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _compare(prefix: Path, claims: Mapping[str, list[_Claim]]) -> list[tuple[Fault | None, int]]:
    paths = sorted(claims)
    chunks = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]

    def compare(chunk: list[str]) -> list[tuple[Fault | None, int]]:
        return [_compare_one(prefix, path, claims) for path in chunk]

    return [result for chunk in in_parallel(compare, chunks, threads=_THREADS) for result in chunk]


def _compare_one(prefix: Path, path: str, claims: Mapping[str, list[_Claim]]) -> tuple[Fault | None, int]:
    """What is wrong with one file, and its size."""
    claimed = claims[path]
    place = prefix / path
    try:
        if any(claim.directory for claim in claimed):
            return (None if place.is_dir() else _fault(path, "a directory", "something else"), 0)
        if any(claim.link for claim in claimed) and place.is_symlink():
            return (None if _leads_right(prefix, place, claims) else _fault(path, _told(claimed), _link(place)), 0)
        stated = [claim.sha256 for claim in claimed if claim.sha256]
        size = place.stat().st_size
        found = _hash(place, size) if stated else ""
    except FileNotFoundError:
        return (_fault(path, _told(claimed), "none"), 0)
    except OSError as error:
        return (_fault(path, _told(claimed), error.strerror or str(error)), 0)
    if stated and found not in stated:
        return (_fault(path, _told(claimed), f"sha256 {found}"), size)
    return (None, size)


def _hash(place: Path, size: int) -> str:
    """A file's SHA-256; most are small, and are read in one go."""
    return sha256_hex(place.read_bytes()) if size <= _SMALL else sha256_file(place)


def _leads_right(prefix: Path, place: Path, claims: Mapping[str, list[_Claim]]) -> bool:
    """Whether a link leads to a file whose content, as its package had it, is what the link's package says.

    The file itself is compared on its own, as it was rewritten for the prefix.
    """
    path = place.relative_to(prefix).as_posix()
    wanted = {claim.original for claim in claims[path] if claim.original}
    target = Path(os.path.realpath(place))
    home = Path(os.path.realpath(prefix))
    if not wanted:
        return target.exists() and target.is_relative_to(home)
    if target.is_relative_to(home):
        reached = claims.get(target.relative_to(home).as_posix(), ())
        if any(claim.original in wanted for claim in reached):
            return target.exists()
    return target.is_file() and sha256_file(target) in wanted


def _fault(path: str, expected: str, found: str) -> Fault:
    return Fault(kind="file", subject=path, expected=expected, found=found)


def _told(claimed: Iterable[_Claim]) -> str:
    stated = next((claim.sha256 for claim in claimed if claim.sha256), "")
    return f"sha256 {stated}" if stated else "a file"


def _link(place: Path) -> str:
    return f"a link to {place.readlink()}"


def _extra(prefix: Path, claims: Mapping[str, Any], *, venv: bool) -> Iterator[str]:
    for directory, names, files in os.walk(prefix):
        base = Path(directory)
        here = base.relative_to(prefix).as_posix()
        names[:] = [name for name in names if name not in _OWN_DIRECTORIES]
        links = [name for name in names if (base / name).is_symlink()]
        for name in (*files, *links):
            path = name if here == "." else f"{here}/{name}"
            if path in claims or path in _OWN_FILES or path == str(marker.MARKER):
                continue
            if not name.endswith(".pyc") and not (venv and _OF_VENVS.fullmatch(path)):
                yield path
