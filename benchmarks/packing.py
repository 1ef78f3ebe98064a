"""Packing an environment and unpacking it, against copying its bytes and against conda-pack's archive of it.

Of both files the bytes are in the page cache, and both prefixes lie on one file system and are never removed meanwhile.
conda-pack's archive is gzip, its default, and about twice as large; it is untarred as it is. `unpack` hashes each byte
first. With empty caches it fills the one that further environments are linked from: half of that is rattler's
extraction, which keeps two cores busy. With warm caches (`--force`) rattler compares every file and links it. From the
third one of a lock on it is made of the files of the one before.
"""

from __future__ import annotations

import random
import shutil
import sys
from itertools import count as counter
from pathlib import Path

from benchmarks.measure import Machine, Row, medians

from envtag.platforms import current_platform
from support.conda_package import ChannelBuilder, installed_files, record_of
from support.interpreter import find_interpreters, stage_interpreter
from support.wheels import OLD

#: Together with Python about as much as numpy, pandas, flask and what they need: 22 packages, 6,000 files, 150 MB.
LIBRARIES = 21
FILES = 220
LIBRARY_BYTES = 5_000_000
_NAME = "team/packed"


def rows(machine: Machine, registry: Path, count: int) -> list[Row]:
    """Pack an environment; unpack it where it was made before, where its packages are, and where nothing is."""
    place = machine.root / "packing"
    place.mkdir()
    _publish(machine, registry, place)
    file, archive = place / "file.tar", place / "conda-pack.tar.gz"
    machine.run(["envtag", "pack", f"{_NAME}:v1", "-o", file], cwd=registry)
    machine.run(["envtag", "pack", f"{_NAME}:v1", "-o", archive, "--format", "conda-pack"], cwd=registry)
    fresh = counter()

    def pack() -> None:
        machine.run(["envtag", "-q", "pack", f"{_NAME}:v1", "-o", place / f"{next(fresh)}.tar"], cwd=registry)

    def copy() -> None:
        target = place / f"{next(fresh)}.copy"
        machine.run(["sh", "-c", f"cat {file} > {target} && sync {target} && sha256sum {target}"])

    def unpack() -> None:
        prefix = place / f"linked-{next(fresh)}"
        machine.run(["envtag", "-q", "unpack", file, "--prefix", prefix])

    def unpack_cached() -> None:
        prefix = place / f"warm-{next(fresh)}"
        machine.run(["envtag", "-q", "unpack", file, "--prefix", prefix, "--force"])

    def unpack_cold() -> None:
        home = place / f"home-{next(fresh)}"
        environ = {"ENVTAG_HOME": str(home / "envtag")}
        machine.run(["envtag", "-q", "unpack", file, "--prefix", home / "prefix"], env=environ)

    def conda_unpack() -> None:
        target = place / f"conda-{next(fresh)}"
        target.mkdir()
        machine.run(["sh", "-c", f"tar -xzf {archive} && bin/python bin/conda-unpack"], cwd=target)

    packed, copied = medians(count, pack, copy)
    unpack()  # fills the caches, and the next one is remembered
    linked, warm, cold, unpacked = medians(count, unpack, unpack_cached, unpack_cold, conda_unpack)
    shutil.rmtree(place)
    conda = "tar -xzf + conda-unpack"
    return [
        Row(what="pack 22 packages", seconds=packed, against="cat + sync + sha256sum", baseline=copied, bound=400,
            unit="ms over"),
        Row(what="unpack a further time", seconds=linked, against=conda, baseline=unpacked, bound=0.33),
        Row(what="unpack, warm caches", seconds=warm, against=conda, baseline=unpacked, bound=0.33),
        Row(what="unpack, empty caches", seconds=cold, against=conda, baseline=unpacked, bound=0.8),
    ]  # fmt: skip


def _publish(machine: Machine, registry: Path, place: Path) -> None:
    channel = _channel(place / "channel")
    spec = place / "environment.yml"
    names = ["python", *(f"packed-{number}" for number in range(LIBRARIES))]
    spec.write_text("dependencies:\n" + "".join(f"- {name}\n" for name in names), "utf-8")
    machine.run(
        ["envtag", "resolve", "-f", spec, "--channel", channel.as_uri(), "--alias", f"{_NAME}:v1"], cwd=registry
    )
    machine.run(["git", "add", "--all"], cwd=registry)
    machine.run(["git", "commit", "--quiet", "-m", "one more environment"], cwd=registry)
    machine.run(["envtag", "publish", _NAME], cwd=registry)


def _channel(path: Path) -> Path:
    """A channel of this machine's Python and of libraries that compress as real ones do (to a third)."""
    channel = ChannelBuilder(path)
    interpreter = find_interpreters()["{}.{}".format(*sys.version_info[:2])]
    stage = path.parent / "python"
    stage_interpreter(interpreter, stage, compiled=True)
    channel.staged(stage, record_of("python", interpreter.version, "0_cpython", 0, current_platform(), [], OLD, {}))
    shutil.rmtree(stage)
    numbers = random.Random(1)  # the same bytes each time
    for number in range(LIBRARIES):
        name = f"packed-{number}"
        words = [numbers.randbytes(8) for _ in range(4096)]
        binary = b"".join(numbers.choices(words, k=LIBRARY_BYTES // 8))
        files = installed_files(name, "1.0", "site-packages")
        files |= {f"site-packages/packed_{number}/m{n}.py": numbers.randbytes(700).hex().encode() for n in range(FILES)}
        files[f"site-packages/packed_{number}/core.so"] = binary
        channel.package(
            name, "1.0", build="py_0", depends=["python"], files=files, noarch="python",
            link={"noarch": {"type": "python"}, "package_metadata_version": 1},
        )  # fmt: skip
    channel.index()
    return path
