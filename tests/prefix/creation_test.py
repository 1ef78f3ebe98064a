from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Config
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.output import Output
from envtag.prefix import marker, place
from envtag.prefix.creation import hydrate
from envtag.prefix.marker import environment_path, installed, is_whole
from envtag.store import Store, open_store
from envtag.store.keys import object_key
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_lock, conda_package, make_lock, pypi_package
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")


def with_mirror(config: Config, channel: Path) -> Config:
    return Config(directories=config.directories, mirrors=Mirrors.parse(f"{CANONICAL}={channel.as_uri()}"))


@pytest.fixture
def config(client: Any, conda_channel: Path) -> Config:
    return with_mirror(client.config, conda_channel)


@pytest.fixture
def cold_config(cold_client: Any, conda_channel: Path) -> Config:
    return with_mirror(cold_client.config, conda_channel)


@pytest.fixture
def mixed(conda_channel: Path, running_python: str, tmp_path: Path) -> Lock:
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0", scripts={"omicron": "omicron:main"})
    return conda_lock(conda_channel, running_python, ["alpha", "beta", "numpyish", "libarch"], [pypi_package(wheel)])


@pytest.fixture
def small(conda_channel: Path) -> Lock:
    """A lock without a Python, which is created in no time."""
    return make_lock([conda_package(conda_channel, "tzish"), conda_package(conda_channel, "prefixed")], python="")


def make(lock: Lock, target: Path, config: Config, **settings: Any) -> bool:
    defaults: dict[str, Any] = {"store": None, "offline": False, "output": Output()}
    return hydrate(lock, target, config=config, **{**defaults, **settings})


def output_of(*argv: str | Path) -> str:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True).stdout.strip()


def with_staging_name(prefix: Path) -> list[Path]:
    """The files and symlinks below a prefix that name a directory it was built in."""
    staging = re.compile(rb"\.[^/]*\.[0-9a-f]{32}\.(tmp|old)")
    contents = {
        path: str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in prefix.rglob("*")
        if path.is_symlink() or path.is_file()
    }
    assert contents
    return [path for path, content in contents.items() if staging.search(content)]


def beside(target: Path) -> list[str]:
    """What lies beside a target, but its lock file."""
    return sorted(
        path.name for path in target.parent.iterdir() if path.name not in (target.name, f".{target.name}.lock")
    )


def test_a_mixed_environment_works_and_names_only_its_final_path(mixed: Lock, config: Config, tmp_path: Path):
    target = tmp_path / "root" / "the env"
    assert make(mixed, target, config)
    python = target / "bin" / "python"
    code = "import alpha, beta, omicron, numpyish, sys; print(omicron.__version__, sys.prefix)"
    assert output_of(python, "-c", code) == f"1.0 {target}"
    assert output_of(target / "bin" / "omicron", "x") == "omicron 1.0 x"
    assert output_of(target / "bin" / "alpha", "x").startswith("alpha 2.0")
    assert with_staging_name(target) == []
    assert list(target.rglob("direct_url.json")) == []
    assert beside(target) == []


def test_conda_meta_names_canonical_urls_and_the_marker_what_it_is_made_from(
    mixed: Lock, config: Config, tmp_path: Path, conda_channel: Path, all_channels: Any, running_python: str
):
    target = tmp_path / "root" / "env"
    make(mixed, target, config)
    by_name = {package.name: package for package in mixed.by_manager("conda")}
    records = [json.loads(path.read_bytes()) for path in (target / "conda-meta").glob("*-*-*.json")]
    assert {record["name"]: record["url"] for record in records} == {name: item.url for name, item in by_name.items()}
    assert {record["channel"] for record in records} == {CANONICAL}
    assert str(conda_channel) not in "".join(json.dumps(record["url"]) for record in records)
    found = marker.read(target)
    assert found is not None
    assert (found.lock, found.request, found.platform) == (mixed.id, mixed.request, mixed.platform)
    assert (found.interpreter, found.python) == ("conda", all_channels.pythons[running_python])
    assert "envtag" in json.loads((target / "conda-meta" / "frozen").read_bytes())["message"]


def test_prefixes_in_text_and_binary_files_are_the_final_one(small: Lock, config: Config, tmp_path: Path):
    target = tmp_path / "root" / "env"
    make(small, target, config)
    assert output_of(target / "bin" / "prefixed") == f"{target}/share"
    assert (target / "share" / "prefixed.txt").read_text() == f"prefix={target}\n"
    binary = (target / "share" / "prefixed.bin").read_bytes()
    assert binary.startswith(b"\x7fPROBE\0" + f"{target}/share".encode() + b"\0")
    assert binary.rstrip(b"\0").endswith(b"\0tail")


def test_a_relative_target_is_the_same_as_its_absolute_path(
    small: Lock, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert make(small, Path("root", "..", "env"), config)
    assert output_of(tmp_path / "env" / "bin" / "prefixed") == f"{tmp_path}/env/share"


def test_a_pypi_environment_works_after_its_rename(config: Config, tmp_path: Path, running_python: str):
    wheels = [
        make_wheel(tmp_path / "wheels", "omicron", "1.0", scripts={"omicron": "omicron:main"}),
        make_wheel(tmp_path / "wheels", "rho", "2.0", requires=["omicron"]),
    ]
    lock = make_lock(map(pypi_package, wheels), python=running_python, interpreter="uv")
    target = tmp_path / "root" / "env"
    assert make(lock, target, config, offline=False)
    assert output_of(target / "bin" / "omicron", "x") == "omicron 1.0 x"
    code = "import rho, sys; print(rho.__version__, sys.prefix, *sys.version_info[:3])"
    version, prefix, *exact = output_of(target / "bin" / "python", "-c", code).split()
    assert (version, prefix) == ("2.0", str(target))
    found = marker.read(target)
    assert found is not None
    assert found.python == ".".join(exact)
    assert with_staging_name(target) == []
    assert list(target.rglob("direct_url.json")) == []


def test_an_sdist_is_built_online_and_refused_offline(config: Config, tmp_path: Path, running_python: str):
    sdist = pypi_package(make_sdist(tmp_path / "sdists", "delta", "1.0", scripts={"delta": "delta:main"}))
    store = open_store((tmp_path / "store").as_uri())
    store.create(
        object_key(sdist.sha256, "tar.gz"), (tmp_path / "sdists" / "delta-1.0.tar.gz").read_bytes(), sdist.sha256
    )
    lock = make_lock([sdist], python=running_python, interpreter="uv")
    target = tmp_path / "root" / "env"
    with pytest.raises(FatalError, match=r"delta 1.0 is locked as a source distribution.*offline"):
        make(lock, target, config, store=store, offline=True)
    assert not target.exists()
    assert make(lock, target, config, store=store)
    assert output_of(target / "bin" / "delta") == "delta 1.0"


def test_the_second_time_is_a_look_up(small: Lock, config: Config, tmp_path: Path):
    target = tmp_path / "root" / "env"
    assert make(small, target, config)
    before = target.stat().st_ino
    assert not make(small, target, config)
    assert target.stat().st_ino == before


def test_a_warm_creation_needs_no_archive(small: Lock, config: Config, tmp_path: Path):
    make(small, tmp_path / "one", config)
    without = Config(directories=config.directories)
    assert make(small, tmp_path / "two", without, offline=True)


def test_the_store_alone_is_enough_offline(mixed: Lock, cold_client: Any, conda_channel: Path, tmp_path: Path):
    store = open_store((tmp_path / "store").as_uri())
    for package in mixed.packages:
        source = tmp_path / "wheels" / package.filename
        if package.manager == "conda":
            source = conda_channel / package.subdir / package.filename
        store.create(object_key(package.sha256, package.extension), source, package.sha256)
    shutil.rmtree(tmp_path / "wheels")
    target = tmp_path / "root" / "env"
    assert make(mixed, target, cold_client.config, store=store, offline=True)
    assert output_of(target / "bin" / "omicron") == "omicron 1.0"
    assert store.url not in (target / "conda-meta" / f"python-{_stem(mixed, 'python')}.json").read_text()


def _stem(lock: Lock, name: str) -> str:
    package = next(package for package in lock.packages if package.name == name)
    return f"{package.version}-{package.build}"


def _stored(lock: Lock, channel: Path, root: Path) -> Store:
    store = open_store(root.as_uri())
    for package in lock.packages:
        source = channel / package.subdir / package.filename
        store.create(object_key(package.sha256, package.extension), source, package.sha256)
    return store


def test_a_tampered_conda_object_is_refused_by_name_and_does_not_enter_the_cache(
    small: Lock, cold_client: Any, conda_channel: Path, tmp_path: Path
):
    store = _stored(small, conda_channel, tmp_path / "store")
    package = next(package for package in small.packages if package.name == "tzish")
    other = conda_channel / "noarch" / conda_package(conda_channel, "beta").filename
    path = store.local_path(object_key(package.sha256, package.extension))
    assert path is not None
    shutil.copyfile(other, path)
    target = tmp_path / "root" / "env"
    with pytest.raises(FatalError, match=rf"tzish 2024a 0: `objects/.*` in .* has other bytes .*{package.sha256}"):
        make(small, target, cold_client.config, store=store, offline=True)
    assert not target.exists()
    assert beside(target) == []
    shutil.copyfile(conda_channel / "noarch" / package.filename, path)
    assert make(small, target, cold_client.config, store=store)
    assert (target / "share" / "zoneinfo" / "UTC").read_bytes() == b"TZif\0UTC"


def test_a_tampered_wheel_is_refused_by_name(mixed: Lock, config: Config, tmp_path: Path):
    with (tmp_path / "wheels" / "omicron-1.0-py3-none-any.whl").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(FatalError, match=r"omicron 1.0 has other bytes than its lock says"):
        make(mixed, tmp_path / "root" / "env", config)
    assert not (tmp_path / "root" / "env").exists()


def test_a_cached_conda_file_that_was_edited_is_not_linked_again(small: Lock, cold_config: Config, tmp_path: Path):
    make(small, tmp_path / "one", cold_config)
    edited = tmp_path / "one" / "share" / "zoneinfo" / "UTC"
    assert edited.stat().st_nlink > 1
    edited.write_bytes(b"TZif\0XXX")
    assert make(small, tmp_path / "two", cold_config)
    assert (tmp_path / "two" / "share" / "zoneinfo" / "UTC").read_bytes() == b"TZif\0UTC"
    edited = tmp_path / "two" / "share" / "zoneinfo" / "UTC"
    edited.write_bytes(b"TZif\0XXX")
    with pytest.raises(FatalError, match=r"tzish 2024a 0 not in the local cache") as caught:
        make(small, tmp_path / "three", Config(directories=cold_config.directories), offline=True)
    assert "after: conda packages could not be installed" in caught.value.detail
    assert not (tmp_path / "three").exists()


def test_a_cached_wheels_file_that_was_edited_is_not_linked_again(
    cold_config: Config, tmp_path: Path, running_python: str
):
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0")
    lock = make_lock([pypi_package(wheel)], python=running_python, interpreter="uv")
    make(lock, tmp_path / "one", cold_config)
    inside = Path("lib", f"python{running_python}", "site-packages", "omicron.py")
    assert (tmp_path / "one" / inside).stat().st_nlink > 1
    right = (tmp_path / "one" / inside).read_bytes()
    (tmp_path / "one" / inside).write_bytes(right.replace(b"1.0", b"6.6"))
    assert make(lock, tmp_path / "two", cold_config)
    assert (tmp_path / "two" / inside).read_bytes() == right


def test_what_is_in_the_way_stays_unless_forced(small: Lock, config: Config, tmp_path: Path, conda_channel: Path):
    target = tmp_path / "root" / "env"
    target.mkdir(parents=True)
    assert make(small, target, config), "an empty directory is not in the way"
    other = make_lock([conda_package(conda_channel, "tzish")], python="")
    with pytest.raises(FatalError, match=f"holds the environment of lock {small.id}, not of {other.id}") as caught:
        make(other, target, config)
    assert "--force" in caught.value.hint
    assert is_whole(target, small.id)
    assert make(other, target, config, force=True)
    assert is_whole(target, other.id)
    assert not (target / "bin" / "prefixed").exists()
    assert make(other, target, config, force=True), "force makes it anew even if it is the same"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work").write_text("precious")
    with pytest.raises(FatalError, match="holds something that envtag did not make"):
        make(other, tmp_path / "mine", config)
    assert (tmp_path / "mine" / "work").read_text() == "precious"
    assert beside(target) == []


def test_another_platforms_lock_is_refused_by_name(config: Config, tmp_path: Path):
    foreign = "osx-64" if sys.platform == "linux" else "linux-64"
    with pytest.raises(FatalError, match=f"this lock is for {foreign}, and this machine is "):
        make(make_lock([], python="", platform=foreign), tmp_path / "env", config)
    assert list(tmp_path.glob("*env*")) == []


def test_wheels_without_a_python_are_refused(config: Config, tmp_path: Path, conda_channel: Path):
    wheel = pypi_package(make_wheel(tmp_path / "wheels", "omicron", "1.0"))
    lock = make_lock([conda_package(conda_channel, "tzish"), wheel], python="")
    with pytest.raises(FatalError, match="no Python to install them for"):
        make(lock, tmp_path / "env", config)
    assert not (tmp_path / "env").exists()


def test_a_root_that_cannot_be_written_is_an_error_that_names_the_target(small: Lock, config: Config, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FatalError, match=f"{tmp_path}/file/env could not be created: "):
        make(small, tmp_path / "file" / "env", config)


def test_local_environments_are_listed_by_their_markers(small: Lock, config: Config):
    path = environment_path(config, small.id)
    make(small, path, config)
    make(small, config.directories.named / "mine", config)
    (config.directories.environments / ("0" * 40)).mkdir()
    assert [(found.path, found.marker.lock) for found in installed(config)] == [
        (path, small.id),
        (config.directories.named / "mine", small.id),
    ]


DRIVER = """\
import os, pickle, signal, sys
from pathlib import Path
from envtag.output import Output
from envtag.prefix import activation, conda, marker, place
from envtag.prefix.creation import hydrate

lock, config = pickle.loads(Path(sys.argv[1]).read_bytes())
step = sys.argv[3]

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def then_dies(function):
    def both(*arguments, **settings):
        function(*arguments, **settings)
        dies()
    return both

if step == "at the start":
    conda.install = dies
elif step == "half linked":
    conda._write_canonical_urls = dies
elif step == "before the marker":
    marker.write = dies
elif step == "before the rename":
    place.put_in_place = dies
elif step == "between the renames":
    rename = Path.rename
    Path.rename = lambda self, target: then_dies(rename)(self, target)
elif step == "before the old one is removed":
    remove = place.remove_tree
    place.remove_tree = lambda path: dies() if path.name.endswith(".old") else remove(path)
elif step == "after":
    place.put_in_place = then_dies(place.put_in_place)
force = step in sys.argv[4:]
made = hydrate(lock, Path(sys.argv[2]), store=None, config=config, offline=False, output=Output(), force=force)
print("made" if made else "found")
sys.stdout.flush()
os._exit(0)
"""


def driver(lock: Lock, config: Config, target: Path, step: str, *, force: bool = False) -> subprocess.Popen[str]:
    work = target.parent.parent / "lock.pickle"
    work.write_bytes(pickle.dumps((lock, config)))
    argv = [sys.executable, "-c", DRIVER, str(work), str(target), step, *([step] if force else [])]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("step", ["at the start", "half linked", "before the marker", "before the rename", "after"])
def test_after_a_kill_at_any_step_the_next_one_finishes(small: Lock, config: Config, tmp_path: Path, step: str):
    target = tmp_path / "root" / "env"
    killed = driver(small, config, target, step)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert target.exists() == is_whole(target, small.id) == (step == "after")
    assert make(small, target, config) == (step != "after")
    assert is_whole(target, small.id)
    assert output_of(target / "bin" / "prefixed") == f"{target}/share"
    assert beside(target) == []


def test_what_a_dead_process_left_and_cannot_be_removed_yet_is_left_to_the_next_one(
    small: Lock, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = tmp_path / "root" / "env"
    left = target.parent / f".env.{'0' * 32}.tmp"
    left.mkdir(parents=True)
    remove = place.remove_tree

    def busy(path: Path) -> None:
        if path == left:
            raise OSError(errno.ENOTEMPTY, "still written to")
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(place, "remove_tree", busy)
        assert make(small, target, config)
    assert beside(target) == [left.name]
    assert make(small, target, config, force=True)
    assert beside(target) == []


@pytest.mark.parametrize("step", ["between the renames", "before the old one is removed"])
def test_after_a_kill_during_a_replacement_nothing_is_lost(
    small: Lock, config: Config, conda_channel: Path, tmp_path: Path, step: str
):
    target = tmp_path / "root" / "env"
    other = make_lock([conda_package(conda_channel, "tzish")], python="")
    make(small, target, config)
    killed = driver(other, config, target, step, force=True)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    if step == "between the renames":
        with pytest.raises(FatalError, match=f"holds the environment of lock {small.id}"):
            make(other, target, config)
        assert is_whole(target, small.id)
    else:
        assert not make(other, target, config)
        assert make(small, target, config, force=True), "the next one that takes the lock cleans up"
    assert beside(target) == []


def test_of_many_processes_one_builds_and_all_find_it_whole(mixed: Lock, cold_config: Config, tmp_path: Path):
    target = tmp_path / "root" / "env"
    running = [driver(mixed, cold_config, target, "") for _ in range(5)]
    results = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 5, results
    assert sorted(out.strip() for out, _ in results) == ["found"] * 4 + ["made"]
    assert output_of(target / "bin" / "omicron") == "omicron 1.0"
    assert beside(target) == []


def test_who_waits_is_told(small: Lock, config: Config, tmp_path: Path):
    from envtag.util.locks import file_lock

    target = tmp_path / "root" / "env"
    with file_lock(target.parent / ".env.lock"):
        waiting = driver(small, config, target, "")
        time.sleep(2)
        assert waiting.poll() is None
    out, err = waiting.communicate(timeout=60)
    assert f"waiting for another process that is creating {target}" in err
    assert out.strip() == "made"


def test_archives_that_the_caller_has_verified_are_asked_for_nowhere(small: Lock, cold_config: Config, tmp_path: Path):
    config = Config(directories=cold_config.directories, mirrors=Mirrors.parse(""))
    archives = {
        item.sha256: Path(cold_config.mirrors.fetch_url(item.url).removeprefix("file://")) for item in small.packages
    }
    first = small.packages[0].sha256
    with pytest.raises(FatalError, match=f"{small.packages[1]} .*offline"):
        make(small, tmp_path / "prefix", config, offline=True, verified={first: archives[first]})
    assert make(small, tmp_path / "prefix", config, offline=True, verified=archives)
    assert is_whole(tmp_path / "prefix", small.id)
