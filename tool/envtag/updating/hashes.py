"""The hashes of a version that a requirement is moved to: those of every file that its index has of it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import credentials
from envtag.engines import PypiProblem
from envtag.engines.uv_command import prepare
from envtag.errors import FatalError
from envtag.request import PypiRequirement

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.request import Request

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def hashes_of(name: str, versions: str, request: Request, lock: Lock, config: Config) -> tuple[str, ...]:
    """`sha256:HEX` of each file of one version, sorted; nothing is solved.

    Args:
        name: The package's normalized name.
        versions: `==VERSION`.
        request: Whose indices are asked, in their order.
        lock: Of the platform and Python that are asked for; files of other ones count as well.
        config: For mirrors and uv's cache.

    Raises:
        FatalError: The indices do not have this version.
    """
    own = request.on(lock.platform)
    problem = PypiProblem(
        platform=lock.platform,
        python=lock.python,
        requirements=(PypiRequirement(name=name, text=f"{name}{versions}"),),
        index_url=own.index_url,
        extra_index_urls=own.extra_index_urls,
        virtual_packages=lock.virtual_packages,
        options=own.pypi_options,
        credentials=credentials.load(logins=request.logins),
    )
    cache = config.directories.uv
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envtag-uv-") as scratch:
        prepared = prepare(problem, Path(scratch), mirrors=config.mirrors, cache=cache, by_url=())
        done = prepared.run("requirements.txt", "--no-deps", "--generate-hashes")
        said = done.stderr.decode("utf-8", "replace").replace(f"{scratch}/", "").strip()
    found = tuple(sorted({f"sha256:{digest}" for digest in _HASH.findall(done.stdout.decode("utf-8", "replace"))}))
    if done.returncode != 0 or not found:
        raise FatalError(f"no index has hashes of `{name}{versions}`", "ask for a version that there is", said)
    return found
