"""The tests' conda channels: built once from this machine's Pythons and from wheels, cached below the checkout."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envtag.platforms import PLATFORMS, current_platform
from envtag.util.files import remove_tree
from envtag.util.locks import file_lock
from support import documents
from support.conda_package import PLACEHOLDER, ChannelBuilder, installed_files, record_of
from support.interpreter import MINORS, find_interpreters, stage_interpreter
from support.wheels import NEW, OLD

CACHE = Path(__file__).parents[2] / ".cache"

#: The versions of Python that exist as metadata only: on foreign platforms, and here where a minor is not installed.
STUB_PYTHONS = {"3.10": "3.10.13", "3.11": "3.11.7", "3.12": "3.12.1", "3.13": "3.13.0"}

_ACTIVATE = """\
export ACTIVATING="from $CONDA_PREFIX"
export PATH="$PATH:/activating"
"""
_FLOOR = {"linux": "__glibc >=2.17", "osx": "__osx >=11.0", "win": "__win"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The two channels.

    Attributes:
        conda: The main one.
        other: A small one that holds a newer `alpha`, and `only-other`.
        pythons: Minor version to the full version of each Python that installs and runs on this platform.
    """

    conda: Path
    other: Path
    pythons: Mapping[str, str]


def why_no_channel() -> str | None:
    """Why this machine's Python cannot be made into a conda package, or None."""
    if not sys.platform.startswith("linux"):
        return "the test channel relocates this machine's Python, which is written for Linux"
    if sys.byteorder != "little" or sys.maxsize < 2**32:
        return "the test channel relocates 64-bit little-endian binaries only"
    return None


def channels() -> Channels:
    """The channels, built if this is the first use by this interpreter; safe for any number of processes."""
    root = CACHE / f"channel-{_key()}"
    if not (root / "pythons.json").is_file():
        with file_lock(CACHE / "channel.lock"):
            if not (root / "pythons.json").is_file():
                _build(root)
    pythons = json.loads((root / "pythons.json").read_text("utf-8"))
    return Channels(conda=root / "conda", other=root / "other", pythons=pythons)


def _key() -> str:
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {current_platform()}".encode())
    digest.update(json.dumps(documents.versions(), sort_keys=True).encode())
    for name in ("channel.py", "conda_package.py", "documents.py", "interpreter.py", "wheels.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def _build(root: Path) -> None:
    remove_tree(root)
    stage = Path(tempfile.mkdtemp(prefix="building-", dir=CACHE))
    try:
        main = ChannelBuilder(stage / "conda")
        pythons = _add_pythons(main)
        for platform in PLATFORMS:
            _add_foreign_or_native(main, platform)
        _add_noarch(main)
        _add_probes(main)
        documents.add_document_packages(main)
        main.index()
        other = ChannelBuilder(stage / "other")
        other.noarch_python("alpha", "3.0", scripts={"alpha": "alpha:main"}, depends=["beta"], timestamp=NEW)
        other.noarch_python("only-other", "1.0", depends=["alpha"])
        other.index()
        (stage / "pythons.json").write_text(json.dumps(pythons, sort_keys=True), "utf-8")
        stage.rename(root)
    finally:
        remove_tree(stage)


def _add_pythons(channel: ChannelBuilder) -> dict[str, str]:
    """Add the Pythons of this machine, side by side, and stubs for those that it and other platforms lack."""
    here = current_platform()
    found = find_interpreters()
    running = "{}.{}".format(*sys.version_info[:2])

    def add(minor: str) -> None:
        interpreter = found[minor]
        with tempfile.TemporaryDirectory(prefix="envtag-python-", dir=channel.path.parent) as scratch:
            stage_interpreter(interpreter, Path(scratch), compiled=minor == running)
            channel.staged(Path(scratch), _python_record(interpreter.version, here))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(add, found))
    for platform in PLATFORMS:
        for minor in MINORS:
            if platform != here or minor not in found:
                record = _python_record(STUB_PYTHONS[minor], platform)
                keep = {key: record[key] for key in ("constrains", "python_site_packages_path")}
                channel.package(
                    "python", record["version"], build=record["build"], subdir=platform, depends=record["depends"],
                    timestamp=_python_date(minor), **keep,
                )  # fmt: skip
    return {minor: found[minor].version for minor in MINORS if minor in found}


def _python_record(version: str, platform: str) -> dict[str, Any]:
    minor = version.rpartition(".")[0]
    compact = minor.replace(".", "")
    extra = {
        "constrains": [f"python_abi {minor}.* *_cp{compact}"],
        "python_site_packages_path": _site_packages(platform, minor),
    }
    build = f"h{hashlib.sha256(platform.encode()).hexdigest()[:7]}_0_cpython"
    return record_of("python", version, build, 0, platform, [_floor(platform)], _python_date(minor), extra)


def _python_date(minor: str) -> Any:
    return OLD if minor in {"3.10", "3.11"} else NEW


def _site_packages(platform: str, minor: str) -> str:
    return "Lib/site-packages" if platform.startswith("win") else f"lib/python{minor}/site-packages"


def _floor(platform: str) -> str:
    return _FLOOR[platform.partition("-")[0]]


def _add_foreign_or_native(channel: ChannelBuilder, platform: str) -> None:
    """Add what every platform has in builds of its own: `numpyish`, `pytorchish` (dist `torchish`), `libarch`."""
    linux = platform.startswith("linux")
    for minor in MINORS:
        compact = minor.replace(".", "")
        python = f"python >={minor},<{minor.partition('.')[0]}.{int(minor.partition('.')[2]) + 1}.0a0"
        site = _site_packages(platform, minor)
        for version, timestamp in (("1.0", OLD), ("2.0", NEW)):
            floor = "__glibc >=2.28" if linux and version == "2.0" else _floor(platform)
            channel.package(
                "numpyish", version, build=f"py{compact}h1234567_0", subdir=platform, timestamp=timestamp,
                depends=[python, "libarch >=1.0,<3", floor], files=installed_files("numpyish", version, site),
            )  # fmt: skip
        channel.package(
            "pytorchish", "1.0", build=f"py{compact}h1234567_0", subdir=platform, license="BSD-3-Clause",
            depends=[python, "numpyish"], files=installed_files("torchish", "1.0", site), formats=("tar.bz2",),
        )  # fmt: skip
    for version, number, timestamp in (("1.0", 0, OLD), ("1.0", 1, NEW), ("2.0", 0, NEW)):
        formats = ("tar.bz2",) if (version, number) == ("1.0", 0) else ("conda", "tar.bz2")
        channel.package(
            "libarch", version, build=f"h1234567_{number}", number=number, subdir=platform, timestamp=timestamp,
            depends=[_floor(platform)], formats=formats,
        )  # fmt: skip


def _add_noarch(channel: ChannelBuilder) -> None:
    """Add pure Python packages, as dists of the same name that the PyPI index has too."""
    script = {"alpha": "alpha:main"}
    channel.noarch_python("alpha", "1.0", depends=["beta"], scripts=script, formats=("conda", "tar.bz2"))
    channel.noarch_python("alpha", "2.0", depends=["beta >=2"], scripts=script, timestamp=NEW)
    channel.noarch_python("beta", "1.0", formats=("tar.bz2",))
    channel.noarch_python("beta", "2.0", timestamp=NEW)
    channel.noarch_python("click-like", "1.0", scripts={"click-like": "click_like:main"})
    channel.noarch_python("old-beta", "1.0", depends=["beta <2"])
    channel.package("tzish", "2024a", files={"share/zoneinfo/UTC": b"TZif\0UTC"}, noarch="generic", license="CC0-1.0")


def _add_probes(channel: ChannelBuilder) -> None:
    """Add what asks for virtual packages, what activates, and what has its prefix written into it."""
    here = current_platform()
    for platform in sorted({here, "linux-64"}):
        channel.package("needs-new-glibc", "1.0", subdir=platform, depends=["__glibc >=2.99"])
        channel.package("gpu-thing", "1.0", build="cuda120_0", subdir=platform, depends=["__cuda >=12.0"])
        channel.package("gpu-thing", "1.0", build="cpu_0", subdir=platform, track_features="gpu-thing-cpu")
    channel.package(
        "activating", "1.0", subdir=here,
        files={
            "etc/conda/activate.d/activating.sh": _ACTIVATE,
            "etc/conda/deactivate.d/activating.sh": "unset ACTIVATING\n",
            "etc/conda/env_vars.d/activating.json": '{"ACTIVATING_VARIABLE": "a value with = and blanks"}\n',
        },
    )  # fmt: skip
    channel.package(
        "prefixed", "1.0", subdir=here,
        files={
            "bin/prefixed": f"#!/bin/sh\necho {PLACEHOLDER}/share\n",
            "share/prefixed.txt": f"prefix={PLACEHOLDER}\n",
            "share/prefixed.bin": b"\x7fPROBE\0" + PLACEHOLDER.encode() + b"/share\0tail\0" + bytes(64),
        },
    )  # fmt: skip


def copy_channel(source: Path, target: Path) -> Path:
    """A copy of a channel that a test may change."""
    shutil.copytree(source, target)
    return target


def without(channel: Path, package: str, version: str) -> Path:
    """A channel (a copy of a test's own) as it was before a version of a noarch package."""
    for path in channel.glob("noarch/repodata*"):
        if path.name != "repodata.json":
            path.unlink()
    path = channel / "noarch" / "repodata.json"
    document = json.loads(path.read_bytes())
    for kind in ("packages", "packages.conda"):
        document[kind] = {
            name: item for name, item in document[kind].items() if (item["name"], item["version"]) != (package, version)
        }
    path.write_text(json.dumps(document))
    return channel
