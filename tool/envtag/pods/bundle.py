"""Archives of pure Python made of what is installed here: envtag itself, and what it and Metaflow import in a pod.

The same installed versions give the same bytes, wherever and however they are installed. Compiled parts are left out:
each of these distributions does without them. Bytecode for the Python that makes the archives is put in, since a pod's
Python is often of the same minor version, and would compile for longer than it fetches.
"""

from __future__ import annotations

import io
import marshal
import re
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import PurePath

from envtag.errors import FatalError
from envtag.pack.executable import own_code

#: What a pod's own Python imports: Metaflow's prelude and log upload (boto3, requests), and envtag (packaging).
PURE = ("boto3", "packaging", "requests")
_PYTHON = "3.10"  # the oldest that a pod may have: what needs a marker is asked of it
_DATE = (1980, 1, 1, 0, 0, 0)
_UNCHECKED = (1).to_bytes(4, "little")
_COMPILED = (".so", ".pyd", ".dylib", ".dll", ".pyc")
#: Files of a `.dist-info` that say where and how it was installed.
_LOCAL = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})
#: The services of AWS whose descriptions Metaflow and credentials need; those of all others are in an archive of their
#: own, since unpacking two thousand files takes longer than all the rest.
_SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "signin", "sso", "sso-oidc", "sts"})
_SERVICE = re.compile(r"botocore/data/([^/]+)/")


def pure_distributions() -> list[Distribution]:
    """The distributions that a bundle has, with all that they require, sorted by name.

    Raises:
        FatalError: One is not installed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    from envtag.wheels import marker_environment

    found: dict[str, Distribution] = {}
    environment = {**marker_environment("linux-64", _PYTHON), "extra": ""}
    wanted = [canonicalize_name(name) for name in PURE]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError as error:
            raise FatalError(
                f"`{name}` is not installed beside envtag, and pods need it", f"`pip install {name}`"
            ) from error
        needs = [Requirement(text) for text in found[name].requires or ()]
        wanted += [
            canonicalize_name(item.name) for item in needs if item.marker is None or item.marker.evaluate(environment)
        ]
    return [found[name] for name in sorted(found)]


def bundles(distributions: Iterable[Distribution]) -> tuple[bytes, bytes]:
    """Two archives: what every pod takes, envtag included, and the descriptions of all further services of AWS."""
    first: dict[str, bytes] = dict(_own())
    rest: dict[str, bytes] = {}
    for item in distributions:
        for name, data in _files(item):
            service = _SERVICE.match(name)
            (rest if service and service[1] not in _SERVICES else first)[name] = data
    return _zipped({**first, **dict(_bytecode(first))}), _zipped(rest)


def is_local(path: PurePath) -> bool:
    """Whether an installed file says where and how it was installed, and nothing of what was."""
    return path.parent.name.endswith(".dist-info") and path.name in _LOCAL


def _own() -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(own_code())) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def _files(item: Distribution) -> Iterator[tuple[str, bytes]]:
    """The files of a distribution that are the same wherever it is installed, by their places in site-packages."""
    for path in item.files or ():
        name = path.as_posix()
        if is_local(path) or name.startswith(("..", "/")) or name.endswith(_COMPILED) or "__pycache__" in path.parts:
            continue
        yield name, path.read_binary()


def _bytecode(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The bytecode of modules where Python looks for it, in the form that is not compared with a source (PEP 552)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's code
        for name, data in files.items():
            if not name.endswith(".py"):
                continue
            place, _, module = name.rpartition("/")
            path = f"{place}/__pycache__/{module[:-3]}.{sys.implementation.cache_tag}.pyc".lstrip("/")
            yield path, MAGIC_NUMBER + _UNCHECKED + source_hash(data) + _compiled(name, data)


@cache
def _compiled(name: str, data: bytes) -> bytes:
    """A module's code; made once, though each platform has its archives."""
    return marshal.dumps(compile(data, name, "exec", dont_inherit=True))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip that is not compressed: what compresses differs between machines, and the bytes have a hash for a name."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3
            archive.writestr(entry, files[name])
    return found.getvalue()
