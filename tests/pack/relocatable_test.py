from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.output import Output
from envtag.pack.relocatable import refuse, write
from envtag.platforms import current_platform
from support.packages import conda_lock, pypi_package
from support.packs import ALIAS, sample
from support.wheels import make_wheel

OTHER = "osx-arm64" if current_platform() != "osx-arm64" else "linux-64"
FILE = Path("x.tar.gz")


def test_another_platform_cannot_be_installed_here(tmp_path: Path):
    with pytest.raises(FatalError, match=f"`{ALIAS}` for {OTHER} cannot be installed here"):
        refuse(sample(tmp_path, OTHER).manifest, ALIAS, FILE)


def test_an_environment_without_a_conda_prefix_is_refused(tmp_path: Path):
    manifest = sample(tmp_path, current_platform()).manifest
    manifest = replace(manifest, lock=manifest.lock._replace(interpreter="uv"))
    with pytest.raises(FatalError, match="its Python is not a conda package"):
        refuse(manifest, ALIAS, FILE)


def test_a_name_that_tells_no_format_is_refused(tmp_path: Path):
    with pytest.raises(FatalError, match=r"`x\.rar` does not say how") as told:
        refuse(sample(tmp_path, current_platform()).manifest, ALIAS, Path("x.rar"))
    assert "`.tar.gz`" in told.value.hint


def test_without_conda_pack_the_extra_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FatalError, match="`conda-pack` is not installed") as told:
        refuse(sample(tmp_path, current_platform()).manifest, ALIAS, FILE)
    assert "envtag[conda-pack]" in told.value.hint


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar"])
def test_what_is_made_runs_elsewhere(tmp_path: Path, client, conda_channel: Path, running_python: str, name: str):
    wheel = make_wheel(tmp_path / "wheels", "Said", "1.0", scripts={"said": "said:main"})
    lock = conda_lock(conda_channel, running_python, ["prefixed", "click-like"], [pypi_package(wheel)])
    lock = lock._replace(
        packages=tuple(
            item
            if item.manager == "pypi"
            else item._replace(url=(conda_channel / item.subdir / item.filename).as_uri())
            for item in lock.packages
        ),
    )
    written = write(
        Manifest(lock=lock), tmp_path / name, tmp_path / "temporary",
        store=None, config=client.config, offline=False, output=Output(),
    )  # fmt: skip
    assert (written.packages, written.size) == (4, (tmp_path / "temporary").stat().st_size)
    there = tmp_path / "elsewhere"
    there.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "temporary", "-C", there], check=True)
    environ = {"PATH": f"{there / 'bin'}:/usr/bin:/bin"}
    subprocess.run([there / "bin" / "conda-unpack"], check=True, env=environ)
    said = subprocess.run(["said"], check=True, env=environ, capture_output=True, text=True).stdout
    assert said.lower().startswith("said 1.0")
    prefixed = subprocess.run([there / "bin" / "prefixed"], check=True, env=environ, capture_output=True, text=True)
    assert prefixed.stdout == f"{there}/share\n"
    left = [path.name for path in client.config.directories.cache.iterdir() if path.name.startswith("packing-")]
    assert left == []
