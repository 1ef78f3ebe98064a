"""In a pod: an environment from the store alone, and a file that is its Python with nothing of the image around it."""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from envtag import config, needs
from envtag.errors import DamagedError, FatalError
from envtag.output import Output
from envtag.pods import choice, tools
from envtag.pods.bucket import open_reader
from envtag.pods.launcher import write_launcher
from envtag.prefix import conda
from envtag.prefix.marker import environment_path, is_whole
from envtag.store.attempts import pause

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.manifest import Manifest
    from envtag.pods.choice import Choice
    from envtag.store import Store

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a pod is told.

    Attributes:
        store: URL of the store that has everything.
        pinned: Platform to `REQUEST:LOCK@MANIFEST`; empty for what is looked up now.
        runtimes: Platform to SHA-256 of the document that says what pods of it need.
        name: The alias or id as the flow has it, for messages; what is looked up where nothing is pinned.
        identity: What the task is told of itself, as a JSON object that is completed here.
        variable: The variable that it is told by.
        home: Where the pod keeps what is its own.
        cache: A directory that pods of a node share; empty for none.
        needs: PyPI packages that must be in it: of what was pinned, the launcher has seen to that.
    """

    store: str
    pinned: dict[str, str]
    runtimes: dict[str, str]
    name: str
    identity: dict[str, Any]
    variable: str
    home: Path
    cache: str
    needs: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run, and end the process: 0, or 1 after one line on stderr of what is wrong."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of rattler can crash an interpreter that ends (PyO3/pyo3-async-runtimes#40)


def run(arguments: Sequence[str]) -> int:
    """Make the environment and its launcher; the exit code."""
    output = Output()
    try:
        bootstrap(_order(arguments), output)
    except FatalError as error:
        detail = f"\n{error.detail.rstrip()}" if error.detail else ""
        hint = f"\nhint: {error.hint}" if error.hint else ""
        output.say(f"envtag: error: {error.message}{detail}{hint}")
        return 1
    except OSError as error:
        where = f": `{error.filename}`" if error.filename else ""
        output.say(f"envtag: error: {error.strerror or error}{where}")
        return 1
    return 0


def bootstrap(order: Order, output: Output) -> Path:
    """Make what a pod is to run in, and write the file that runs it.

    What was fetched with other bytes than it should have is fetched again, a few times.

    Args:
        order: What the pod is told.
        output: Where progress is told.

    Returns:
        The environment's directory.

    Raises:
        FatalError: It is not for this machine, or cannot be had whole.
    """
    settings = _settings(order, output)
    store = open_reader(order.store)
    for attempt in range(_ATTEMPTS):
        try:
            chosen = choice.choose(order.pinned, order.name, store, settings)
            prefix = _provide(chosen, order, store, settings, output)
            break
        except FatalError as error:
            if attempt + 1 == _ATTEMPTS or not _damaged(error):
                raise
            output.warn(f"{error.message}; trying again")
            pause(attempt)
    told = {**order.identity, **chosen.identity()}
    more = {order.variable: json.dumps(told, sort_keys=True)} if order.variable else {}
    write_launcher(order.home / "python", prefix, os.environ, more)
    output.say(f"envtag: {chosen.label} is in `{prefix}`")
    return prefix


def _provide(chosen: Choice, order: Order, store: Store, settings: Config, output: Output) -> Path:
    prefix = environment_path(settings, chosen.lock)
    if is_whole(prefix, chosen.lock):
        return prefix
    from envtag.prefix.creation import hydrate

    with ThreadPoolExecutor(2) as threads:
        engines = threads.submit(_engines, chosen.platform, order, store, settings)
        packages = threads.submit(_packages, chosen, order, store, settings, output)
        manifest = _result(packages, engines)
        engines.result()
    hydrate(
        manifest.lock, prefix, store=store, config=settings, offline=True, output=output, once=not order.cache,
        builds=manifest.builds,
    )  # fmt: skip
    return prefix


def _engines(platform: str, order: Order, store: Store, settings: Config) -> None:
    """Have the engines, and load what takes longest to load while packages are still being fetched."""
    digest = order.runtimes.get(platform)
    if digest is None:
        raise FatalError(
            f"this node is {platform}, and the flow was deployed for {', '.join(sorted(order.runtimes)) or 'no other'}",
            "let its pods go to nodes of that platform only, or deploy it for this one",
        )
    for directory in tools.provide_engines(digest, store, settings.directories.cache / "engines"):
        sys.path.insert(0, str(directory))
    conda.load()


def _packages(chosen: Choice, order: Order, store: Store, settings: Config, output: Output) -> Manifest:
    from envtag.fetch import fetch_archives

    manifest = chosen.manifest(store)
    missing = needs.missing(dict.fromkeys(order.needs, ""), (package.name for package in manifest.lock.packages))
    if missing:
        raise FatalError(
            f"{chosen.label} lacks {', '.join(missing)}, which Metaflow needs, and nothing is added at execution",
            "add it to the environment's spec, and release it anew",
        )
    fetch_archives(
        manifest.archives(),
        store=store,
        mirrors=settings.mirrors,
        directories=settings.directories,
        offline=True,
        output=output,
    )
    return manifest


def _result(wanted: Future[Manifest], other: Future[Any]) -> Manifest:
    """The result of one of two things that run side by side; the other's error if that failed first."""
    if other.done() and other.exception() is not None:
        other.result()
    return wanted.result()


def _damaged(error: FatalError) -> bool:
    return isinstance(error, DamagedError) or isinstance(error.__cause__, DamagedError)


def _settings(order: Order, output: Output) -> Config:
    """The settings of envtag here: all that it keeps is below one directory, a shared one where that can be."""
    home = order.home / "home"
    if order.cache:
        shared = Path(order.cache)
        try:
            shared.mkdir(parents=True, exist_ok=True)
            probe = shared / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink(missing_ok=True)
            home = shared / "envtag"
        except OSError as error:
            output.warn(f"the node's cache `{shared}` is not used: {error.strerror or error}")
    return config.load({"ENVTAG_HOME": str(home)})


def _order(arguments: Sequence[str]) -> Order:
    parser = argparse.ArgumentParser(prog="envtag.pods", allow_abbrev=False)
    parser.add_argument("--store", required=True)
    parser.add_argument("--environment", action="append", default=[], metavar="PLATFORM=REQUEST:LOCK@MANIFEST")
    parser.add_argument("--runtime", action="append", default=[], metavar="PLATFORM=SHA256")
    parser.add_argument("--name", default="")
    parser.add_argument("--identity", default="", metavar="VARIABLE=JSON|BASE64")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--cache", default="")
    parser.add_argument("--need", action="append", default=[], metavar="PACKAGE")
    parser.add_argument("--packed", default="", metavar="BASE64", help="further arguments: a JSON list, compressed")
    given = parser.parse_args(arguments)
    if given.packed:
        more = json.loads(zlib.decompress(base64.b64decode(given.packed)))
        given = parser.parse_args([*arguments, *more])
    variable, _, encoded = given.identity.partition("=")
    return Order(
        store=given.store,
        pinned=dict(item.split("=", 1) for item in given.environment),
        runtimes=dict(item.split("=", 1) for item in given.runtime),
        name=given.name,
        identity=json.loads(encoded if encoded.startswith("{") else base64.b64decode(encoded) or b"{}"),
        variable=variable,
        home=given.home.absolute(),
        cache=given.cache,
        needs=tuple(given.need),
    )
