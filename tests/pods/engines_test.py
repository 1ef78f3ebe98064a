from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.platforms import current_platform
from envtag.pods import engines
from envtag.pods.engines import engine_wheels, pins
from envtag.pods.tools import unpack
from support.index import Index
from support.pods import prepare_engines
from support.wheels import make_wheel


def test_for_this_platform_they_are_made_of_what_is_installed(client, tmp_path: Path):
    prepare_engines(client.config)
    found = engine_wheels(
        current_platform(), client.config.directories.cache / "runtimes", config=client.config, output=Output()
    )
    assert [path.name.split("-")[:2] for path in found] == [
        [name.replace("-", "_"), version] for name, version in pins().items()
    ]
    for path in found:
        unpack(path, tmp_path / "engines" / path.name)
    code = "import rattler, uv; print(rattler.__file__, uv.find_uv_bin())"
    places = os.pathsep.join(str(tmp_path / "engines" / path.name) for path in found)
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": places}, capture_output=True, check=True, text=True
    )
    rattler, program = done.stdout.split()
    assert rattler.startswith(str(tmp_path))
    assert program.startswith(str(tmp_path))
    version = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout
    assert pins()["uv"] in version


def test_for_another_platform_they_come_from_the_index(client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tags = {"py-rattler": "cp310-abi3-manylinux_2_17_aarch64", "uv": "py3-none-manylinux_2_17_aarch64"}
    (tmp_path / "index").mkdir()
    for name, version in pins().items():
        make_wheel(tmp_path / "index", name, version, tag=tags[name])
    index = Index(tmp_path / "index")
    try:
        found = engine_wheels(
            "linux-aarch64", tmp_path / "made", config=client.config, output=Output(), index_url=index.url
        )
    finally:
        index.stop()
    assert [path.name.rpartition("-")[2] for path in sorted(found)] == ["manylinux_2_17_aarch64.whl"] * 2


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        (["cp310-abi3-manylinux_2_17_x86_64", "cp310-abi3-manylinux2014_x86_64"], True),
        (["py3-none-manylinux_2_28_x86_64"], True),
        (["py3-none-manylinux_2_99_x86_64"], False),
        (["cp310-abi3-musllinux_1_2_x86_64"], False),
        (["cp311-cp311-manylinux_2_17_x86_64"], False),
        (["cp310-abi3-linux_x86_64"], False),
        (["py3-none-manylinux_2_17_aarch64"], False),
        ([], False),
    ],
)
def test_an_installed_wheel_that_is_not_for_every_pod_will_not_do(tags: list[str], fits: bool):
    class Installed:
        name, version = "py-rattler", "1.0"

        def read_text(self, _: str) -> str:
            return "Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags)

    found = engines._wheel_name(Installed(), "linux-64")  # type: ignore[arg-type]  # as much of it as is read
    assert (found is not None) == fits


def test_a_wheel_for_one_python_alone_is_refused(client, tmp_path: Path):
    (tmp_path / "index").mkdir()
    for name, version in pins().items():
        make_wheel(tmp_path / "index", name, version, tag="cp310-cp310-manylinux_2_17_aarch64")
    index = Index(tmp_path / "index")
    try:
        with pytest.raises(FatalError, match="has no wheel for every Python on linux-aarch64"):
            engine_wheels(
                "linux-aarch64", tmp_path / "made", config=client.config, output=Output(), index_url=index.url
            )
    finally:
        index.stop()
