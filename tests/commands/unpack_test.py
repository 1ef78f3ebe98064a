from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envtag.commands.unpack import unpack
from envtag.errors import FatalError
from envtag.output import Output
from envtag.pack.reading import PackFile
from envtag.platforms import current_platform
from envtag.prefix import creation
from envtag.prefix.audit import audit
from envtag.prefix.marker import is_whole
from envtag.prefix.template import template_path
from support.packs import ALIAS, Sample, rewrite, sample

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test packages hold a shell script")

OTHER = "osx-arm64" if current_platform() != "osx-arm64" else "linux-64"
TOOL = f"channel/{current_platform()}/tool-1.0-h123_0.tar.bz2"
#: envtag, which dies where a function is called.
_KILLED = """
import importlib, os, signal, sys
from envtag.cli import main
owner, _, name = sys.argv[1].rpartition(".")
setattr(importlib.import_module(owner), name, lambda *words, **options: os.kill(os.getpid(), signal.SIGKILL))
main(sys.argv[2:])
"""


@pytest.fixture
def found(tmp_path: Path) -> Sample:
    return sample(tmp_path / "archives", current_platform(), wheel=False)


@pytest.fixture
def file(tmp_path: Path, found: Sample) -> Path:
    found.pack(tmp_path / "x.tar")
    return tmp_path / "x.tar"


def works(prefix: Path) -> bool:
    return subprocess.run([prefix / "bin" / "tool"], capture_output=True, check=True).stdout == b"tool\n"


def test_it_is_made_under_the_root_by_its_id_and_its_path_is_printed(run_envtag, client, file: Path, found: Sample):
    done = run_envtag("unpack", str(file), check=0)
    path = client.config.directories.environments / found.manifest.lock.id
    assert done.stdout.decode() == f"{path}\n"
    assert done.stderr.decode() == f"unpacked {ALIAS}; run in it: `{path}/bin/python`\n"
    assert works(path)
    again = run_envtag("unpack", str(file), check=0)
    assert again.stdout == done.stdout
    assert again.stderr.decode().startswith(f"already there, {ALIAS}")


def test_it_is_made_where_it_is_told(run_envtag, tmp_path: Path, file: Path, found: Sample):
    done = run_envtag("unpack", "x.tar", "--prefix", "there", check=0)
    assert done.stdout.decode() == f"{tmp_path / 'there'}\n"
    assert works(tmp_path / "there")
    assert is_whole(tmp_path / "there", found.manifest.lock.id)


def test_it_needs_no_registry_git_or_network(run_envtag, tmp_path: Path, file: Path):
    (tmp_path / "bin").mkdir()
    env = {
        "PATH": str(tmp_path / "bin"),
        "ENVTAG_REGISTRY": "https://127.0.0.1:9/absent",
        "ENVTAG_STORE": "s3://absent",
    }
    run_envtag("unpack", str(file), "--prefix", "there", env=env, check=0)
    assert works(tmp_path / "there")


def test_what_is_in_the_way_stays_unless_it_is_forced(run_envtag, tmp_path: Path, file: Path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("mine")
    done = run_envtag("unpack", str(file), "--prefix", "there", check=1)
    assert "holds something that envtag did not make" in done.stderr.decode()
    assert (tmp_path / "there" / "mine").exists()
    run_envtag("unpack", str(file), "--prefix", "there", "--force", check=0)
    assert works(tmp_path / "there")
    done = run_envtag("unpack", str(file), "--force", check=1)
    assert "`--force` goes with `--prefix`" in done.stderr.decode()


def test_another_platform_is_one_line_with_both(run_envtag, tmp_path: Path):
    sample(tmp_path / "archives", OTHER).pack(tmp_path / "x.tar")
    done = run_envtag("unpack", "x.tar", "--prefix", "there", check=1)
    assert done.stderr.decode() == f"error: `x.tar` is for `{OTHER}`, and this machine is `{current_platform()}`\n"
    assert not (tmp_path / "there").exists()


def test_an_edited_file_leaves_nothing_also_where_its_packages_are_cached(run_envtag, tmp_path: Path, file: Path):
    run_envtag("unpack", str(file), "--prefix", "first", check=0)
    rewrite(file, lambda content: content.update({TOOL: content[TOOL][:-1] + b"?"}))
    done = run_envtag("unpack", str(file), "--prefix", "there", check=1)
    assert done.stderr.decode().startswith(f"error: `{file}`: `{TOOL}` has other bytes than its manifest says\n")
    assert not (tmp_path / "there").exists()


def test_a_file_that_was_cut_off_leaves_nothing(run_envtag, tmp_path: Path, file: Path):
    file.write_bytes(file.read_bytes()[:-3000])
    done = run_envtag("unpack", str(file), "--prefix", "there", check=1)
    assert done.stderr.decode() == f"error: `{file}` is cut off\nhint: get the file again\n"
    assert not (tmp_path / "there").exists()


def test_a_digest_may_be_expected(run_envtag, tmp_path: Path, file: Path, found: Sample):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    done = run_envtag("unpack", str(file), "--prefix", "there", "--expect", f"sha256:{'0' * 64}", check=1)
    assert done.stderr.decode().startswith(f"error: `{file}` is not sha256:{'0' * 64}: it is sha256:{digest}\n")
    assert not (tmp_path / "there").exists()
    run_envtag("unpack", str(file), "--prefix", "there", "--expect", f"sha256:{digest}", check=0)
    run_envtag("unpack", str(file), "--prefix", "two", "--expect", f"sha256:{found.manifest.digest}", check=0)


def test_any_number_may_unpack_at_once(client, tmp_path: Path, file: Path):
    command = [sys.executable, "-m", "envtag", "unpack", str(file), "--prefix", str(tmp_path / "there")]
    running = [subprocess.Popen(command, env=client.environ, stdout=subprocess.PIPE) for _ in range(3)]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert (said, {process.returncode for process in running}) == ({f"{tmp_path / 'there'}\n".encode()}, {0})
    assert works(tmp_path / "there")


@pytest.mark.parametrize(
    "point", ["envtag.prefix.conda.install", "envtag.prefix.place.put_in_place", "envtag.prefix.marker.write"]
)
def test_one_that_is_killed_leaves_nothing_and_the_next_one_cleans_up(
    run_envtag, cold_client, tmp_path: Path, file: Path, point: str
):
    command = [sys.executable, "-c", _KILLED, point, "unpack", str(file), "--prefix", str(tmp_path / "in" / "there")]
    done = subprocess.run(command, env=cold_client.environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "in" / "there").exists()
    run_envtag("unpack", str(file), "--prefix", str(tmp_path / "in" / "there"), check=0)
    assert works(tmp_path / "in" / "there")
    assert [path.name for path in (tmp_path / "in").iterdir() if not path.name.endswith(".lock")] == ["there"]


def test_a_full_disk_is_one_line_and_leaves_nothing(cold_client, tmp_path: Path):
    big = sample(tmp_path / "archives", current_platform(), wheel=False)
    big.pack(tmp_path / "x.tar")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150));"
        "from envtag.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "unpack", str(tmp_path / "x.tar"), "--prefix", str(tmp_path / "there")]
    done = subprocess.run(command, env=cold_client.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "there").exists()


def test_each_member_is_read_once_and_archives_are_kept_only_where_they_are_new(
    cold_client, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
):
    read: list[str] = []
    blocks = PackFile.blocks

    def counted(self: PackFile, name: str) -> Iterator[memoryview]:
        read.append(name)
        return blocks(self, name)

    monkeypatch.setattr(PackFile, "blocks", counted)
    directories = cold_client.config.directories
    old = directories.archives / "ab" / "cd" / "old-1.0-0.conda"
    old.parent.mkdir(parents=True)
    old.touch()
    os.utime(old, (0, 0))
    for number in range(2):
        prefix = tmp_path / f"there-{number}"
        read.clear()
        unpack(file, prefix=prefix, force=False, expect="", config=cold_client.config, output=Output(quiet=True))
        assert works(prefix)
        assert len(read) == len(set(read)) > 3
        kept = sorted(path.name for path in directories.archives.glob("??/*/*"))
        assert kept == ([] if number else ["datum-1.0-h123_0.tar.bz2", "tool-1.0-h123_0.tar.bz2"])
        shutil.rmtree(directories.archives, ignore_errors=True)


def test_from_the_third_one_on_it_is_linked_and_the_file_is_hashed_nevertheless(
    cold_client, tmp_path: Path, file: Path, found: Sample, monkeypatch: pytest.MonkeyPatch
):
    def unpacked(name: str) -> Path:
        unpack(file, prefix=tmp_path / name, force=False, expect="", config=cold_client.config, output=Output())
        return tmp_path / name

    remembered = template_path(cold_client.config.directories, found.manifest.lock.id)
    unpacked("first")
    assert not remembered.exists(), "most machines unpack a file once"
    unpacked("second")
    assert remembered.exists()
    with monkeypatch.context() as patched:
        patched.setattr(creation, "hydrate", lambda *_, **__: pytest.fail("it was installed"))
        third = unpacked("third")
    assert works(third)
    assert audit(third, found.manifest.lock).faults == ()
    remembered.write_bytes(b"{}")
    assert works(unpacked("fourth")), "without what was remembered it is installed"
    rewrite(file, lambda content: content.update({TOOL: content[TOOL][:-1] + b"?"}))
    with pytest.raises(FatalError, match="has other bytes than its manifest says"):
        unpacked("fifth")
    assert not (tmp_path / "fifth").exists()
