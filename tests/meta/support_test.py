"""The tests' own tools do what other tests take for granted."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests

from envtag.platforms import PLATFORMS, current_platform
from support import documents
from support.channel import Channels
from support.conda_package import PLACEHOLDER, ChannelBuilder
from support.index import Index
from support.interpreter import MINORS
from support.wheels import make_sdist, make_wheel


def test_wheels_and_sdists_have_the_same_bytes_every_time(tmp_path: Path):
    first = make_wheel(tmp_path / "1", "a.Name", "1.0", requires=["b>=1"], extras={"c": ["d; os_name == 'nt'"]})
    second = make_wheel(tmp_path / "2", "a.Name", "1.0", requires=["b>=1"], extras={"c": ["d; os_name == 'nt'"]})
    assert first.name == "a_name-1.0-py3-none-any.whl"
    assert first.read_bytes() == second.read_bytes()
    sdists = [make_sdist(tmp_path / directory, "a.Name", "1.0") for directory in "12"]
    assert sdists[0].read_bytes() == sdists[1].read_bytes()


def test_a_wheels_record_lists_each_file_with_its_size(tmp_path: Path):
    wheel = make_wheel(tmp_path, "alpha", "1.0", scripts={"alpha": "alpha:main"}, files={"alpha_data/x.txt": "x\n"})
    with zipfile.ZipFile(wheel) as archive:
        rows = archive.read("alpha-1.0.dist-info/RECORD").decode().splitlines()
        sizes = {name: archive.getinfo(name).file_size for name in archive.namelist() if not name.endswith("RECORD")}
    listed = {row.split(",")[0]: int(row.split(",")[2]) for row in rows if not row.endswith(",,")}
    assert listed == sizes


def test_metaflow_imports_with_what_is_packed_again_and_nothing_else(pypi_index: Index, tmp_path: Path):
    place = tmp_path / "site"
    for wheel in sorted(pypi_index.directory.glob("*.whl")):
        if wheel.name.split("-")[0].replace("_", "-") in documents.REPACKED:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(place)
    metaflow = Path(importlib.util.find_spec("metaflow").origin).parent
    (place / "metaflow").symlink_to(metaflow)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import metaflow, boto3; boto3.client('s3', 'us-east-1')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, place], check=True, timeout=60)


def test_the_index_answers_json_with_hashes_sizes_and_upload_times(pypi_index: Index):
    answer = requests.get(
        f"{pypi_index.url}/alpha/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}, timeout=10
    ).json()
    assert answer["versions"] == ["1.0", "2.0"]
    newest = answer["files"][-1]
    data = requests.get(pypi_index.root + newest["url"], timeout=10).content
    assert newest["hashes"] == {"sha256": hashlib.sha256(data).hexdigest()}
    assert newest["size"] == len(data)
    assert newest["upload-time"].startswith("2024-11-15T")
    assert newest["requires-python"] == ">=3.8"


def test_the_index_answers_html_to_who_asks_for_it(pypi_index: Index):
    page = requests.get(f"{pypi_index.url}/omega/", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert 'data-requires-python="&gt;=3.99"' in page.text


def test_an_index_fails_and_tampers_as_asked_and_remembers_requests(tmp_path: Path):
    wheel = make_wheel(tmp_path, "alpha", "1.0")
    index = Index(tmp_path)
    index.failures[f"/files/{wheel.name}"] = [503]
    assert requests.get(index.file_url(wheel.name), timeout=10).status_code == 503
    assert requests.get(index.file_url(wheel.name), timeout=10).content == wheel.read_bytes()
    index.instead[f"/files/{wheel.name}"] = b"other"
    assert requests.get(index.file_url(wheel.name), timeout=10).content == b"other"
    assert index.requests == [f"/files/{wheel.name}"] * 3
    index.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(index.url, timeout=10)


def test_conda_packages_have_the_same_bytes_every_time(tmp_path: Path):
    made = []
    for directory in "12":
        channel = ChannelBuilder(tmp_path / directory)
        files = {"bin/x": f"#!{PLACEHOLDER}/bin/sh\n", "share/y": b"\0" + PLACEHOLDER.encode()}
        made.append(channel.package("x", "1.0", files=files, formats=("conda", "tar.bz2")))
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]


def test_repodata_states_the_hash_and_size_of_each_archive(conda_channel: Path):
    seen = set()
    for subdir in ("noarch", *PLATFORMS):
        repodata = json.loads((conda_channel / subdir / "repodata.json").read_text())
        for name, record in (repodata["packages"] | repodata["packages.conda"]).items():
            data = (conda_channel / subdir / name).read_bytes()
            assert (record["sha256"], record["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
            seen.add(name.rpartition(".")[2])
        assert all(name.endswith(".tar.bz2") for name in repodata["packages"])
    assert seen == {"conda", "bz2"}


def test_every_platform_has_every_python(conda_channel: Path):
    for subdir in PLATFORMS:
        records = json.loads((conda_channel / subdir / "repodata.json").read_text())["packages.conda"].values()
        minors = {record["version"].rpartition(".")[0] for record in records if record["name"] == "python"}
        assert minors == set(MINORS)


def test_the_python_that_runs_the_tests_is_in_the_channel(all_channels: Channels, running_python: str):
    assert all_channels.pythons[running_python] == "{}.{}.{}".format(*sys.version_info[:3])


def test_every_python_of_the_channel_installs_and_runs(all_channels: Channels, tmp_path: Path, client):
    for minor in all_channels.pythons:
        prefix = tmp_path / f"python {minor}"
        specs = [f"python {minor}.*", "alpha", "pytorchish", "prefixed"]
        asyncio.run(_install(all_channels.conda, specs, prefix, client))
        code = "import sys, ssl, sqlite3, ctypes, bz2, alpha, torchish; print(sys.prefix, torchish.__version__)"
        done = subprocess.run([prefix / "bin" / "python", "-c", code], capture_output=True, check=True, env={})
        assert done.stdout.decode() == f"{prefix} 1.0\n"
        script = subprocess.run([prefix / "bin" / "alpha", "argument"], capture_output=True, check=True, env={})
        assert script.stdout == b"alpha 2.0 argument\n"
        assert (prefix / "share" / "prefixed.txt").read_text() == f"prefix={prefix}\n"
        assert f"{prefix}/share".encode() in (prefix / "share" / "prefixed.bin").read_bytes()


async def _install(channel: Path, specs: list[str], prefix: Path, client) -> None:
    import rattler

    records = await rattler.solve(
        [rattler.Channel(channel.as_uri())],
        [rattler.MatchSpec(spec) for spec in specs],
        gateway=rattler.Gateway(cache_dir=client.config.directories.repodata),
        platforms=[current_platform(), "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    cache = os.fspath(client.config.directories.conda_packages)
    await rattler.install(records, prefix, cache_dir=cache, show_progress=False)


def test_an_sdist_builds_and_installs_without_an_index(all_channels: Channels, tmp_path: Path, pypi_index: Index):
    import uv

    target = tmp_path / "target"
    command = [uv.find_uv_bin(), "pip", "install", "--no-config", "--default-index", pypi_index.url]
    subprocess.run([*command, "--target", target, "--python", sys.executable, "delta"], capture_output=True, check=True)
    assert (target / "delta.py").is_file()
    assert (target / "beta.py").is_file()
