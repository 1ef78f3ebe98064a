from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envtag import build_record, git_source
from envtag.builds import provide_builds
from envtag.config import Config
from envtag.errors import FatalError
from envtag.lock import Lock, write
from envtag.manifest import Build
from envtag.output import Output
from envtag.package import Package
from envtag.platforms import PLATFORMS, current_platform
from envtag.prefix.creation import hydrate
from envtag.store import Store, keys, open_store
from envtag.urls import Mirrors
from envtag.util.canonical import sha256_hex
from support.index import Index
from support.packages import CANONICAL, conda_lock, make_lock, pypi_package
from support.repository import GitRepo
from support.wheels import make_sdist, make_wheel, source_files

HERE = current_platform()
FOREIGN = next(platform for platform in PLATFORMS if platform != HERE)
NATIVE = "py3-none-linux_x86_64"
_ONLY_LINUX = pytest.mark.skipif(HERE != "linux-64", reason="the test's wheel is for linux-64")

#: A backend that writes a line for each build, and then does as the usual one.
_COUNTING = """
_plain = build_wheel
def build_wheel(*arguments):
    with open({log!r}, "a") as stream:
        stream.write("built\\n")
    return _plain(*arguments)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def config(client: Any) -> Config:
    found: Config = client.config
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "builds.log"


@pytest.fixture
def sdist(tmp_path: Path, log: Path) -> Callable[..., Package]:
    """A source that counts its builds."""

    def make(name: str = "delta", *, tag: str = "py3-none-any", more: str = "") -> Package:
        backend = source_files(name, "1.0")["backend.py"].decode() + _COUNTING.format(log=str(log)) + more
        return pypi_package(make_sdist(tmp_path / "sdists", name, "1.0", tag=tag, files={"backend.py": backend}))

    return make


def lock_of(*packages: Package, python: str, platform: str = "") -> Lock:
    return make_lock(packages, python=python, interpreter="uv", platform=platform)


def builds_of(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def record_of(store: Store, source: Package, python: str, platform: str = HERE) -> build_record.BuildRecord:
    key = keys.build_key(source.sha256, platform, python)
    data = store.read(key)
    assert data is not None
    return build_record.parse(data, key)


def listed(store: Store) -> list[str]:
    return [entry.key for prefix in ("objects/", "builds/") for entry in store.list(prefix)]


def test_a_lock_without_sources_needs_no_builds(store: Store, config: Config, tmp_path: Path):
    lock = lock_of(pypi_package(make_wheel(tmp_path / "wheels", "omicron", "1.0")), python="3.11")
    builds = provide_builds(lock, store=store, config=config, output=Output())
    assert (dict(builds.found), builds.waiting) == ({}, ())
    assert listed(store) == []


def test_a_source_is_built_once_and_recorded_with_how(
    store: Store, config: Config, sdist: Callable[..., Package], log: Path, running_python: str
):
    source = sdist()
    lock = lock_of(source, python=running_python)
    first = provide_builds(lock, store=store, config=config, output=Output())
    again = provide_builds(lock, store=store, config=config, output=Output())
    assert first == again
    assert builds_of(log) == 1
    assert first.waiting == ()
    wheel = first.found[source.sha256]
    assert wheel.filename == "delta-1.0-py3-none-any.whl"
    stored = {keys.object_key(wheel.sha256, "whl"), keys.object_key(source.sha256, "tar.gz")}
    assert set(listed(store)) == {*stored, keys.build_key(source.sha256, HERE, running_python)}
    record = record_of(store, source, running_python)
    assert record.wheel == wheel
    assert record.url == source.url
    assert record.made.backend == "backend"
    assert record.made.python.startswith(f"{running_python}.")
    assert set(record.made.tools) == {"envtag", "uv"}


def test_a_record_tells_nothing_of_the_machine_that_built_it(
    store: Store, config: Config, sdist: Callable[..., Package], client: Any, running_python: str
):
    source = sdist()._replace(url="https://files.example.org/delta-1.0.tar.gz")
    path = config.directories.archives / source.sha256[:2] / source.sha256 / source.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(Path(sdist().url.removeprefix("file://")).read_bytes())
    provide_builds(lock_of(source, python=running_python), store=store, config=config, output=Output())
    text = record_of(store, source, running_python).to_bytes().decode()
    assert str(client.home) not in text
    assert os.sep + "tmp" not in text


def test_build_requirements_come_from_the_index_behind_its_mirror(
    store: Store, config: Config, tmp_path: Path, running_python: str
):
    index = Index(tmp_path / "index")
    (tmp_path / "index").mkdir()
    helper = "from helper_impl import build_wheel\n"
    backend = source_files("delta", "1.0")["backend.py"].decode()
    make_wheel(tmp_path / "index", "helper", "2.0", files={"helper.py": helper, "helper_impl.py": backend})
    pyproject = '[build-system]\nrequires = ["helper>=1"]\nbuild-backend = "helper"\n'
    source = pypi_package(make_sdist(tmp_path / "sdists", "delta", "1.0", files={"pyproject.toml": pyproject}))
    canonical = "https://index.example.org/simple"
    mirrored = Config(directories=config.directories, mirrors=Mirrors.parse(f"{canonical}={index.url}"))
    try:
        provide_builds(
            lock_of(source, python=running_python), store=store, config=mirrored, output=Output(), index_url=canonical
        )
    finally:
        index.stop()
    made = record_of(store, source, running_python).made
    assert made.backend == "helper"
    assert made.requires == ("helper==2.0",)


def test_publishers_at_once_agree_on_one_wheel(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str
):
    """Each build of it has other bytes; whoever records first decides."""
    unlike = """
import uuid
_build = build_wheel
def build_wheel(*arguments):
    open("wheel/unique.txt", "w").write(uuid.uuid4().hex)
    return _build(*arguments)
"""
    source = sdist(more=unlike)
    lock = lock_of(source, python=running_python)

    def provide(_: int) -> Build:
        return provide_builds(lock, store=store, config=config, output=Output()).found[source.sha256]

    with ThreadPoolExecutor(3) as threads:
        wheels = list(threads.map(provide, range(3)))
    assert len(set(wheels)) == 1
    assert record_of(store, source, running_python).wheel == wheels[0]


def test_who_loses_the_race_uses_the_winners_wheel(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str, monkeypatch: pytest.MonkeyPatch
):
    source = sdist()
    lock = lock_of(source, python=running_python)
    data = b"the winner's"
    theirs = Build(sha256=sha256_hex(data), filename="delta-1.0-py3-none-any.whl", size=len(data))
    swap = type(store).swap

    def late(self: Store, key: str, content: bytes, expected: str | None) -> bool:
        if key.startswith("builds/") and store.read(key) is None:
            winner = replace(build_record.parse(content, key), wheel=theirs)
            store.create(keys.object_key(theirs.sha256, "whl"), data, theirs.sha256)
            swap(store, key, winner.to_bytes(), None)
        return swap(self, key, content, expected)  # type: ignore[arg-type]

    monkeypatch.setattr(type(store), "swap", late)
    assert provide_builds(lock, store=store, config=config, output=Output()).found == {source.sha256: theirs}


@_ONLY_LINUX
def test_a_foreign_platforms_source_waits_for_its_runner(
    store: Store, config: Config, sdist: Callable[..., Package], log: Path, running_python: str
):
    source = sdist(tag=NATIVE)
    foreign = lock_of(source, python=running_python, platform=FOREIGN)
    assert provide_builds(foreign, store=store, config=config, output=Output()).waiting == (source,)
    here = lock_of(source, python=running_python)
    assert provide_builds(here, store=store, config=config, output=Output()).waiting == ()
    assert provide_builds(foreign, store=store, config=config, output=Output()).waiting == (source,)
    assert builds_of(log) == 1


def test_nothing_is_built_where_that_is_not_wanted(
    store: Store, config: Config, sdist: Callable[..., Package], log: Path, running_python: str
):
    source = sdist()
    builds = provide_builds(
        lock_of(source, python=running_python), store=store, config=config, output=Output(), build=False
    )
    assert builds.waiting == (source,)
    assert builds_of(log) == 0


def test_a_failing_build_is_one_line_with_its_words_below_and_is_not_recorded(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str
):
    failing = "\ndef build_wheel(*_):\n    raise SystemExit('no compiler is here')\n"
    broken = sdist("kappa", more=failing)
    lock = lock_of(sdist(), broken, python=running_python)
    with pytest.raises(FatalError) as caught:
        provide_builds(lock, store=store, config=config, output=Output())
    assert caught.value.message == f"kappa 1.0 could not be built for {HERE} by `backend`"
    assert "no compiler is here" in caught.value.detail
    assert "DEBUG" not in caught.value.detail
    assert keys.build_key(broken.sha256, HERE, running_python) not in listed(store)


@pytest.mark.parametrize(
    ("wheel", "message"),
    [
        ("delta-2.0-py3-none-any.whl", "delta 1.0 could not be built"),
        ("other-1.0-py3-none-any.whl", "delta 1.0 could not be built"),
        ("delta-1.0-cp27-cp27m-win32.whl", "which does not fit Python"),
    ],
)
def test_a_build_that_makes_something_else_is_refused(
    store: Store, config: Config, tmp_path: Path, running_python: str, wheel: str, message: str
):
    source = pypi_package(make_sdist(tmp_path, "delta", "1.0", files={"wheel-name.txt": wheel}))
    with pytest.raises(FatalError, match=message):
        provide_builds(lock_of(source, python=running_python), store=store, config=config, output=Output())
    assert listed(store) == []


@pytest.mark.parametrize("wheel", ["delta-2.0-py3-none-any.whl", "other-1.0-py3-none-any.whl", "delta-1.0-x.whl"])
def test_a_commit_whose_build_is_of_something_else_is_refused(
    store: Store,
    config: Config,
    git_repo: Callable[..., GitRepo],
    running_python: str,
    wheel: str,
):
    repo = git_repo("delta")
    commit = repo.commit({**source_files("delta", "1.0"), "wheel-name.txt": wheel})
    solved = Package(manager="pypi", name="delta", version="1.0", url=f"git+{repo.url}@{commit}", sha256="")
    source = git_source.locked(solved, directories=config.directories, mirrors=Mirrors())
    with pytest.raises(FatalError, match=r"delta 1\.0") as caught:
        provide_builds(lock_of(source, python=running_python), store=store, config=config, output=Output())
    assert "which is not that package and version" in caught.value.message or caught.value.detail
    assert listed(store) == []


def test_a_lock_with_a_version_that_is_none_gets_no_wheel(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str
):
    source = sdist()._replace(version="one")
    with pytest.raises(FatalError, match=r"the build of delta one made `delta-1\.0-py3-none-any\.whl`, which is"):
        provide_builds(lock_of(source, python=running_python), store=store, config=config, output=Output())


def test_a_machine_that_does_not_say_its_libc_builds_as_well(
    store: Store,
    config: Config,
    sdist: Callable[..., Package],
    running_python: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delattr(os, "confstr", raising=False)
    source = sdist()
    lock = lock_of(source, python=running_python)
    provide_builds(lock, store=store, config=config, output=Output(), extra_index_urls=["http://127.0.0.1:9/simple"])
    assert record_of(store, source, running_python).made.libc == ""


@_ONLY_LINUX
def test_a_wheel_of_a_newer_glibc_than_the_lock_promises_is_told(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str, capsys: pytest.CaptureFixture[str]
):
    source = sdist(tag=NATIVE)
    lock = lock_of(source, python=running_python)._replace(virtual_packages={"__glibc": "2.17"})
    provide_builds(lock, store=store, config=config, output=Output(quiet=True))
    assert "warning: delta 1.0 was built with glibc" in capsys.readouterr().err
    assert record_of(store, source, running_python).made.libc.startswith("glibc ")


@pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")
def test_a_conda_environments_source_is_built_by_its_own_python_and_hydrates_from_the_store_alone(
    store: Store,
    config: Config,
    sdist: Callable[..., Package],
    conda_channel: Path,
    running_python: str,
    tmp_path: Path,
):
    source = sdist()
    lock = conda_lock(conda_channel, running_python, [], [source])
    mirrored = Config(directories=config.directories, mirrors=Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}"))
    builds = provide_builds(lock, store=store, config=mirrored, output=Output())
    exact = next(package.version for package in lock.packages if package.name == "python")
    assert record_of(store, source, running_python).made.python == exact
    Path(source.url.removeprefix("file://")).unlink()
    target = tmp_path / "made"
    assert hydrate(lock, target, store=store, config=mirrored, offline=False, output=Output(), builds=builds.found)
    done = subprocess.run(
        [target / "bin" / "python", "-c", "import delta; print(delta.__version__)"], capture_output=True, check=True
    )
    assert done.stdout.strip() == b"1.0"


def test_a_clean_home_hydrates_offline_from_the_store_alone(
    store: Store, config: Config, sdist: Callable[..., Package], running_python: str, tmp_path: Path
):
    source = sdist()
    lock = lock_of(source, python=running_python)
    builds = provide_builds(lock, store=store, config=config, output=Output())
    Path(source.url.removeprefix("file://")).unlink()
    clean = Config(
        directories=config.directories._replace(data=tmp_path / "clean", cache=tmp_path / "clean" / "cache"),
    )
    with pytest.raises(FatalError, match=r"delta 1\.0 is locked as a source distribution"):
        hydrate(lock, tmp_path / "without", store=store, config=clean, offline=True, output=Output())
    target = tmp_path / "made"
    hydrate(lock, target, store=store, config=clean, offline=True, output=Output(), builds=builds.found)
    done = subprocess.run([target / "bin" / "python", "-c", "import delta"], check=False)
    assert done.returncode == 0


def test_two_parts_of_one_repository_are_built_once_and_need_it_no_more(
    store: Store, config: Config, git_repo: Callable[..., GitRepo], running_python: str, tmp_path: Path
):
    repo = git_repo("mono")
    parts = ("delta", "kappa")
    commit = repo.commit({f"{name}/{path}": data for name in parts for path, data in source_files(name, "1.0").items()})
    url = f"git+{repo.url}@{commit}#subdirectory="
    solved = [Package(manager="pypi", name=name, version="1.0", url=url + name, sha256="") for name in parts]
    sources = [git_source.locked(item, directories=config.directories, mirrors=Mirrors()) for item in solved]
    lock = lock_of(*sources, python=running_python)
    online = tmp_path / "online"
    hydrate(lock, online, store=None, config=config, offline=False, output=Output())
    builds = provide_builds(lock, store=store, config=config, output=Output())
    assert {wheel.filename for wheel in builds.found.values()} == {
        "delta-1.0-py3-none-any.whl",
        "kappa-1.0-py3-none-any.whl",
    }
    assert all(store.size(keys.object_key(source.sha256, "tar")) for source in sources)
    shutil.rmtree(repo.path)
    clean = Config(
        directories=config.directories._replace(data=tmp_path / "clean", cache=tmp_path / "clean" / "cache"),
    )
    target = tmp_path / "made"
    hydrate(lock, target, store=store, config=clean, offline=True, output=Output(), builds=builds.found)
    for made in (online, target):
        assert subprocess.run([made / "bin" / "python", "-c", "import delta, kappa"], check=False).returncode == 0


def test_a_lock_with_a_source_and_no_python_is_refused(store: Store, config: Config, sdist: Callable[..., Package]):
    with pytest.raises(FatalError, match="no Python to build them with"):
        provide_builds(make_lock([sdist()], python=""), store=store, config=config, output=Output())


_CHILD = """
import sys
from envtag import config
from envtag.builds import provide_builds
from envtag.lock import read
from envtag.output import Output
from envtag.store import open_store
lock, store = sys.argv[1:]
provide_builds(read(open(lock, "rb").read(), lock), store=open_store(store), config=config.load(), output=Output())
"""


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX's")
def test_a_build_that_is_killed_leaves_nothing_and_the_next_one_builds_anew(
    store: Store, config: Config, client: Any, sdist: Callable[..., Package], tmp_path: Path, running_python: str
):
    gate = tmp_path / "gate"
    arrived = tmp_path / "arrived"
    waiting = f"""
import os, time
_build = build_wheel
def build_wheel(*arguments):
    open({str(arrived)!r}, "w").close()
    while not os.path.exists({str(gate)!r}):
        time.sleep(0.01)
    return _build(*arguments)
"""
    lock = lock_of(sdist(more=waiting), python=running_python)
    path = tmp_path / "lock.yml"
    path.write_bytes(write(lock))
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path), store.url], env=client.environ, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not arrived.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(10)
    assert arrived.exists()
    assert listed(store) == []
    gate.touch()
    assert provide_builds(lock, store=store, config=config, output=Output()).waiting == ()
