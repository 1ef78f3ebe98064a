from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.lookup import find
from support.packs import contents_of
from support.story import HERE, MINOR, Story, mixed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")

NAME = "mlp/tz"


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages here and one on macOS, `mlp/other:v1`; published."""
    text = "channels: [conda-forge]\ndependencies: [tzish, prefixed]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    story.resolve("mlp/other:v1", environment=text, options=("--platform", HERE, "--platform", "osx-arm64"))
    story.commit("v1")


@pytest.fixture
def tz(make_story: Callable[..., Story]) -> Story:
    story = make_story(published)
    story.call("publish")
    return story


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_is_printed_as_sha256sum_does(tz: Story, tmp_path: Path):
    told = tz.call("pack", f"{NAME}:v1", "-o", str(tmp_path / "x.tar"))
    assert told.out == f"sha256:{sha256(tmp_path / 'x.tar')}  {tmp_path / 'x.tar'}\n"
    assert f"packed {NAME}:v1 for {HERE}: 2 packages" in told.err
    assert "`envtag unpack x.tar --prefix DIR`" in told.err


def test_json_says_all_of_it(tz: Story, tmp_path: Path):
    (told,) = tz.call("pack", f"{NAME}:v1", "-o", str(tmp_path / "x.tar"), "--json").json
    assert sorted(told) == ["alias", "bytes", "digest", "file", "lock", "packages", "platform", "request"]
    assert (told["alias"], told["platform"], told["packages"]) == (f"{NAME}:v1", HERE, 2)
    assert told["digest"] == f"sha256:{sha256(tmp_path / 'x.tar')}"
    assert told["bytes"] == (tmp_path / "x.tar").stat().st_size
    page = json.loads(contents_of(tmp_path / "x.tar")["envtag-pack.json"])
    assert (page["lock"], page["request"]) == (told["lock"], told["request"])


def test_the_manifest_in_it_is_the_published_one(tz: Story, tmp_path: Path):
    tz.call("pack", f"{NAME}:v1", "-o", str(tmp_path / "x.tar"))
    page = json.loads(contents_of(tmp_path / "x.tar")["envtag-pack.json"])
    with tz.registry() as registry:
        found = find(f"{NAME}:v1", registry, tz.config, {})
        assert found.record is not None
        assert page["manifest_sha256"] == found.record.manifests[HERE]


def test_whatever_it_is_asked_for_as_the_bytes_are_the_same(tz: Story, tmp_path: Path):
    with tz.registry() as registry:
        found = find(f"{NAME}:v1", registry, tz.config, {})
        assert found.record is not None
        names = [f"{NAME}:v1", f"{NAME}:v1@{found.record.digest}", f"{found.record.request}:{found.lock_id(HERE)}"]
    digests = set()
    for number, name in enumerate(names):
        tz.call("pack", name, "-o", str(tmp_path / f"{number}.tar"))
        digests.add(sha256(tmp_path / f"{number}.tar"))
    assert len(digests) == 1


def test_another_machine_with_another_umask_and_empty_caches_makes_the_same_bytes(tz: Story, tmp_path: Path):
    tz.run("pack", f"{NAME}:v1", "-o", str(tmp_path / "x.tar"))
    store = tz.config.directories.default_store.as_uri()
    code = "import os, sys; os.umask(0o077); from envtag.cli import main; main(sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", code, "-q", "pack", "--offline", f"{NAME}:v1", "-o", tmp_path / "y.tar"],
        cwd=tz.path, check=True, capture_output=True,
        env={**tz.environ, "ENVTAG_HOME": str(tmp_path / "home"), "ENVTAG_STORE": store, "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert (tmp_path / "x.tar").read_bytes() == (tmp_path / "y.tar").read_bytes()


def test_a_foreign_platform_is_packed(tz: Story, tmp_path: Path):
    tz.call("pack", "mlp/other:v1", "--platform", "osx-arm64", "-o", str(tmp_path))
    content = contents_of(tmp_path / "mlp-other-v1-osx-arm64.tar")
    assert json.loads(content["pixi-pack.json"])["platform"] == "osx-arm64"
    assert "channel/noarch/tzish-2024a-0.conda" in content


def test_several_are_a_file_each_in_a_directory(tz: Story, tmp_path: Path):
    (tmp_path / "out").mkdir()
    told = tz.call("pack", f"{NAME}:v1", "mlp/other:v1", "-o", str(tmp_path / "out"))
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == [f"mlp-other-v1-{HERE}.tar", f"mlp-tz-v1-{HERE}.tar"]
    assert [line.split("  ")[1] for line in told.out.splitlines()] == [
        str(tmp_path / "out" / n) for n in reversed(made)
    ]
    told = tz.call("pack", f"{NAME}:v1", "mlp/other:v1", "-o", str(tmp_path / "one.tar"), check=1)
    assert "is not a directory" in told.err
    told = tz.call("pack", f"{NAME}:v1", f"{NAME}:v1", "-o", str(tmp_path / "out"), check=1)
    assert "would both be packed as" in told.err


def test_a_file_is_not_replaced_by_another_content(tz: Story, tmp_path: Path):
    target = tmp_path / "x.tar"
    tz.call("pack", f"{NAME}:v1", "-o", str(target))
    tz.call("pack", f"{NAME}:v1", "-o", str(target))
    told = tz.call("pack", "mlp/other:v1", "-o", str(target), check=1)
    assert told.err.startswith(f"error: `{target}` is there already, with other content\nhint: `--force`")
    tz.call("pack", "mlp/other:v1", "-o", str(target), "--force")
    assert json.loads(contents_of(target)["envtag-pack.json"])["alias"] == "mlp/other:v1"


def test_it_goes_to_stdout_as_it_is(tz: Story, tmp_path: Path):
    tz.call("pack", f"{NAME}:v1", "-o", str(tmp_path / "x.tar"))
    command = [sys.executable, "-m", "envtag", "pack", f"{NAME}:v1", "-o", "-"]
    done = subprocess.run(command, cwd=tz.path, env=tz.environ, capture_output=True, check=True)
    assert done.stdout == (tmp_path / "x.tar").read_bytes()
    assert done.stderr.decode() == f"sha256:{sha256(tmp_path / 'x.tar')}\n"
    assert "for one packed file" in tz.call("pack", f"{NAME}:v1", "-o", "-", "--json", check=1).err


def test_a_full_disk_is_one_line_and_leaves_nothing(tz: Story, tmp_path: Path):
    (tmp_path / "out").mkdir()
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000));"
        "from envtag.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "pack", f"{NAME}:v1", "-o", str(tmp_path / "out" / "x.tar")]
    done = subprocess.run(command, cwd=tz.path, env=tz.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: `{tmp_path / 'out' / 'x.tar'}` could not be written: File too large\n")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--platform", "win-64"], "is not locked for `win-64`"),
        (["--format", "conda-pack", "--executable"], "`--executable` goes with the packages as they are"),
        (["--format", "conda-pack", "-o", "x.rar"], "`x.rar` does not say how"),
    ],
)
def test_what_cannot_be_packed_is_one_line(tz: Story, arguments: list[str], message: str):
    told = tz.call("pack", f"{NAME}:v1", *arguments, check=1)
    assert message in told.err
    assert told.out == ""


def test_pypi_packages_go_with_it_and_it_imports_where_it_is_unpacked(make_story, tmp_path: Path):
    story = make_story(mixed)
    story.call("publish")
    story.call("pack", "mlp/mix:v1", "-o", str(tmp_path / "x.tar"))
    story.run("unpack", str(tmp_path / "x.tar"), "--prefix", str(tmp_path / "there"), cwd=tmp_path)
    code = "import numpyish, click_like, torchish"
    subprocess.run([tmp_path / "there" / "bin" / "python", "-c", code], check=True)
    subprocess.run([tmp_path / "there" / "bin" / "click-like"], check=True, capture_output=True)
    told = story.call("pack", "mlp/pure:v1", "-o", str(tmp_path / "y.tar"))
    assert f"the machine needs Python {MINOR}" in told.err
    told = story.call("pack", "mlp/pure:v1", "-o", str(tmp_path / "z.tar.gz"), "--format", "conda-pack", check=1)
    assert "its Python is not a conda package" in told.err


def test_conda_pack_makes_a_relocatable_prefix(tz: Story, tmp_path: Path):
    target = tmp_path / "x.tar.gz"
    told = tz.call("pack", f"{NAME}:v1", "-o", str(target), "--format", "conda-pack")
    assert told.out == f"sha256:{sha256(target)}  {target}\n"
    assert "bin/conda-unpack" in told.err
    with tarfile.open(fileobj=io.BytesIO(target.read_bytes())) as archive:
        assert {"bin/conda-unpack", "bin/prefixed"} <= set(archive.getnames())
