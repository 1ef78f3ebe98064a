"""What hydrates an environment in a pod, in the store: by content, with a document for each platform that names it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.platforms import check_platform
from envtag.store import Store, keys
from envtag.util.canonical import canonical_json, sha256_file, sha256_hex
from envtag.util.files import write_atomic
from envtag.util.locks import file_lock
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output

_VERSION = 1
_HEX64 = re.compile(r"[0-9a-f]{64}")
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*\.(whl|zip)")
_HINT = "it is damaged or was tampered with: remove it, and deploy again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One archive of a runtime.

    Attributes:
        filename: What it is called.
        sha256: 64 hex digits of its bytes.
        size: How many there are.
    """

    filename: str
    sha256: str
    size: int

    @property
    def key(self) -> str:
        """Where it is in a store."""
        return keys.object_key(self.sha256, self.filename.rpartition(".")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What pods of one platform need.

    Attributes:
        platform: Their platform.
        bundle: Pure Python for every pod: envtag and what it imports.
        rest: Descriptions of the services of AWS that are not in the bundle.
        engines: Wheels of what links packages.
    """

    platform: str
    bundle: Part
    rest: Part
    engines: tuple[Part, ...]

    def to_bytes(self) -> bytes:
        """The document: canonical JSON and a newline, whose SHA-256 is its name."""
        return canonical_json({"version": _VERSION, **asdict(self)}) + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the document."""
        return sha256_hex(self.to_bytes())

    @property
    def parts(self) -> tuple[Part, ...]:
        """All archives."""
        return (self.bundle, self.rest, *self.engines)


def parse(data: bytes, where: str) -> Runtime:
    """Read the document of a runtime.

    Raises:
        FatalError: It is malformed, or of another version.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}", _HINT) from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a runtime of version {_VERSION}", "a newer envtag may read it")
    if set(document) != {"version", *(item.name for item in fields(Runtime))} or not isinstance(
        document["engines"], list
    ):
        raise FatalError(f"{where}: not a runtime: it has {', '.join(sorted(document))}", _HINT)
    return Runtime(
        platform=check_platform(str(document["platform"])),
        bundle=_part(document["bundle"], where),
        rest=_part(document["rest"], where),
        engines=tuple(_part(item, where) for item in document["engines"]),
    )


def read(store: Store, digest: str) -> Runtime:
    """The runtime of a digest.

    Raises:
        FatalError: The store does not have it, or it has other bytes.
    """
    key = keys.runtime_key(digest)
    data = store.read(key)
    where = f"`{key}` in {store.url}"
    if data is None:
        raise FatalError(f"{where} is not there, and it says what pods need", "deploy again, which restores it")
    if sha256_hex(data) != digest:
        raise FatalError(f"{where} has other bytes than its name promises: sha256 {sha256_hex(data)}", _HINT)
    return parse(data, where)


def stored(store: Store) -> list[Runtime]:
    """Every runtime of a store: all of them are in use, since a deployed flow may name any.

    Raises:
        FatalError: One is malformed.
    """
    found = [entry.key for entry in store.list(keys.RUNTIMES)]
    data = zip(found, in_parallel(store.read, found), strict=True)
    return [parse(item, f"`{key}` in {store.url}") for key, item in data if item is not None]


def publish(platforms: Iterable[str], store: Store, *, config: Config, output: Output) -> dict[str, Runtime]:
    """See that a store has what pods of some platforms need, made of what runs here; the document is written last.

    Args:
        platforms: Their platforms.
        store: Where to.
        config: The client's settings.
        output: Where progress is told.

    Returns:
        Platform to runtime.

    Raises:
        FatalError: What links packages cannot be had for a platform, or the store refuses.
    """
    from envtag.pods.bundle import bundles, pure_distributions
    from envtag.pods.engines import pins

    pure = pure_distributions()
    own = sha256_hex(_own_code())
    directory = config.directories.cache / "runtimes"
    found = {}
    for platform in sorted(set(platforms)):
        asked = [
            _VERSION,
            platform,
            own,
            sys.implementation.cache_tag,
            pins(),
            {item.name: item.version for item in pure},
        ]
        kept = directory / f"pod-{sha256_hex(canonical_json(asked))[:16]}.json"
        runtime = _kept(kept)
        if runtime is None or store.size(keys.runtime_key(runtime.digest)) is None:
            with file_lock(directory / ".pods.lock"):
                files = _at_hand(runtime, directory) or _files(platform, directory, bundles(pure), config, output)
            runtime = _runtime(platform, files)
            _upload(runtime, files, store, output)
            write_atomic(kept, runtime.to_bytes())
        found[platform] = runtime
    return found


def _own_code() -> bytes:
    from envtag.pack.executable import own_code

    return own_code()


def _kept(path: Path) -> Runtime | None:
    """What this machine made before for the same versions; what cannot be read is made anew."""
    try:
        return parse(path.read_bytes(), str(path))
    except (OSError, FatalError):
        return None


def _at_hand(runtime: Runtime | None, directory: Path) -> dict[str, Path]:
    """The archives that this machine made before, for another store; empty where one is not there, or has changed."""
    if runtime is None:
        return {}
    parts = {"bundle": runtime.bundle, "rest": runtime.rest, **{part.filename: part for part in runtime.engines}}
    found = {name: directory / part.filename for name, part in parts.items()}
    try:
        whole = all(sha256_file(found[name]) == part.sha256 for name, part in parts.items())
    except OSError:
        return {}
    return found if whole else {}


def _files(
    platform: str, directory: Path, made: tuple[bytes, bytes], config: Config, output: Output
) -> dict[str, Path]:
    from envtag.pods.engines import engine_wheels

    files = {}
    for name, data in zip(("bundle", "rest"), made, strict=True):
        path = directory / f"{name}-{sha256_hex(data)[:16]}.zip"
        if not path.is_file() or path.stat().st_size != len(data):
            write_atomic(path, data)
        files[name] = path
    for path in engine_wheels(platform, directory, config=config, output=output):
        files[path.name] = path
    return files


def _runtime(platform: str, files: dict[str, Path]) -> Runtime:
    parts = {
        name: Part(filename=path.name, sha256=sha256_file(path), size=path.stat().st_size)
        for name, path in files.items()
    }
    return Runtime(
        platform=platform,
        bundle=parts.pop("bundle"),
        rest=parts.pop("rest"),
        engines=tuple(part for _, part in sorted(parts.items())),
    )


def _upload(runtime: Runtime, files: dict[str, Path], store: Store, output: Output) -> None:
    by_name = {path.name: path for path in files.values()}
    with output.task(f"storing what pods of {runtime.platform} need"):
        in_parallel(lambda part: store.create(part.key, by_name[part.filename], part.sha256), runtime.parts)
        store.create(keys.runtime_key(runtime.digest), runtime.to_bytes(), runtime.digest)


def _part(item: Any, where: str) -> Part:
    names = {one.name for one in fields(Part)}
    if not isinstance(item, dict) or set(item) != names:
        raise FatalError(f"{where}: a part has not exactly {', '.join(sorted(names))}", _HINT)
    filename, sha256, size = item["filename"], item["sha256"], item["size"]
    if not isinstance(filename, str) or not _FILENAME.fullmatch(filename):
        raise FatalError(f"{where}: a part has no proper file name", _HINT)
    if not isinstance(sha256, str) or not _HEX64.fullmatch(sha256) or type(size) is not int or size < 0:
        raise FatalError(f"{where}: `{filename}` has no proper sha256 or size", _HINT)
    return Part(filename=filename, sha256=sha256, size=size)
