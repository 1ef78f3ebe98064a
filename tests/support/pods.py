"""Pods on this machine: a bare Python and a few programs, a directory of their own, and a bucket; no git, no index."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envtag.config import Config
from envtag.output import Output
from envtag.platforms import current_platform
from envtag.pods.engines import engine_wheels
from envtag.util.locks import file_lock
from envtag.util.process import Completed, run
from support.channel import CACHE
from support.guards import DEAD_PROXY
from support.interpreter import find_interpreters

#: What a step asked for, with all that a shell could take for something else.
REQUEST = 'it\'s {"quoted"} $HOME `x`'
#: What a slim image has, as far as Metaflow's commands use it.
_PROGRAMS = (
    "awk", "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "grep", "gzip", "head", "id", "ls", "md5sum",
    "mkdir", "mv", "printenv", "printf", "pwd", "rm", "sed", "sh", "sleep", "tail", "tar", "tee", "touch", "tr",
    "uname",
)  # fmt: skip
_ELSEWHERE = """\
import os, platform
here = list(os.uname())
os.uname = lambda: os.uname_result([*here[:4], {machine!r}])
platform.machine = lambda: {machine!r}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a container is made of.

    Attributes:
        path: A directory with its programs.
        python: The directory with its Python.
    """

    path: Path
    python: Path

    @classmethod
    def make(cls, place: Path, minor: str = "", *, machine: str = "") -> Image:
        """A Python without any package, and the programs of a slim image.

        Args:
            place: A directory to make.
            minor: Which Python; the one that runs the tests otherwise.
            machine: What the node says that it is (`aarch64`); this machine otherwise.
        """
        executable = find_interpreters()[minor or "{}.{}".format(*sys.version_info[:2])].executable
        subprocess.run([executable, "-m", "venv", "--without-pip", "--symlinks", place / "venv"], check=True)
        found = place / "bin"
        found.mkdir()
        for program in _PROGRAMS:
            where = shutil.which(program)
            if where is not None:
                (found / program).symlink_to(where)
        (site,) = (place / "venv" / "lib").glob("python*/site-packages")
        if machine:
            (site / "sitecustomize.py").write_text(_ELSEWHERE.format(machine=machine))
        return cls(path=found, python=place / "venv" / "bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that runs containers, each in a directory of its own.

    Attributes:
        image: What its containers are made of.
        place: Where their directories are.
        environ: Variables of every container: where the bucket is, and who asks.
    """

    image: Image
    place: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def container(self, name: str) -> Path:
        """A container's directory, made if it is not there."""
        path = self.place / name
        (path / "tmp").mkdir(parents=True, exist_ok=True)
        return path

    def variables(self, name: str) -> dict[str, str]:
        """All variables of a container: nothing of the machine that runs the tests."""
        path = self.container(name)
        dead = {
            key: DEAD_PROXY for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for key in (proxy, proxy.lower())
        }
        return {
            **dead,
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": f"{self.image.python}:{self.image.path}",
            "HOME": str(path),
            "TMPDIR": str(path / "tmp"),
            "LANG": "C.UTF-8",
            **self.environ,
        }

    def run(
        self,
        name: str,
        command: Sequence[str],
        *,
        check: int | None = 0,
        timeout: float = 480,
        environ: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run a container's command to its end; it must end with the exit code `check`."""
        argv = [shutil.which(command[0], path=str(self.image.path)) or command[0], *command[1:]]
        done = run(argv, cwd=self.container(name), env={**self.variables(name), **(environ or {})}, timeout=timeout)
        if check is not None and done.returncode != check:
            raise AssertionError(done.failure(f"container `{name}` ended with {done.returncode}").detail)
        return done

    def shell(self, name: str, text: str, *, check: int | None = 0, **variables: str) -> Completed:
        """Run shell commands in a container."""
        return self.run(name, ["bash", "-c", text], check=check, environ=variables)


def recorded_in(container: Path, flow: str) -> dict[str, str]:
    """What the task of a container recorded of itself, field to value."""
    found = {}
    for path in (container / "metaflow" / ".metaflow" / flow).glob("*/*/*/_meta/sysmeta_*"):
        entry = json.loads(path.read_bytes())
        found[entry["field_name"]] = entry["value"]
    return found


def prepare_engines(config: Config, shared_runtimes: Path | None = None) -> None:
    """Give a client the engines' wheels, which take seconds to make; they are made once for all sessions.

    Args:
        config: The client's settings.
        shared_runtimes: A directory in which clients share all that they make for pods.
    """
    shared = CACHE / "engines"
    with file_lock(CACHE / "engines.lock"):
        wheels = engine_wheels(current_platform(), shared, config=config, output=Output())
    target = config.directories.cache / "runtimes"
    if shared_runtimes is not None:
        shared_runtimes.mkdir(exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(shared_runtimes)
    target.mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        if not (target / wheel.name).exists():
            shutil.copyfile(wheel, target / wheel.name)
