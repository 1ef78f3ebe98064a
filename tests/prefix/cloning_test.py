from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Config
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.output import Output
from envtag.prefix import cloning, template
from envtag.prefix.audit import audit
from envtag.prefix.cloning import clone
from envtag.prefix.creation import hydrate
from envtag.prefix.marker import is_whole
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_lock, conda_package, make_lock, pypi_package
from support.wheels import make_wheel

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere environments are not cloned")


@pytest.fixture
def config(client: Any, conda_channel: Path) -> Config:
    mirrors = Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}")
    return Config(directories=client.config.directories, mirrors=mirrors)


@pytest.fixture
def mixed(conda_channel: Path, running_python: str, tmp_path: Path) -> Lock:
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0", scripts={"omicron": "omicron:main"})
    return conda_lock(conda_channel, running_python, ["alpha", "beta", "prefixed"], [pypi_package(wheel)])


@pytest.fixture
def small(conda_channel: Path) -> Lock:
    return make_lock([conda_package(conda_channel, "tzish"), conda_package(conda_channel, "prefixed")], python="")


def make(lock: Lock, target: Path, config: Config, *, force: bool = False) -> bool:
    return hydrate(lock, target, store=None, config=config, offline=False, output=Output(), force=force)


def cloned(lock: Lock, target: Path, config: Config) -> bool | None:
    return clone(lock.id, target, config=config, output=Output())


def contents(prefix: Path) -> dict[str, tuple[Any, ...]]:
    """Everything in a prefix but conda's history, which has the time: type, mode and content."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(prefix.rglob("*")):
        name = path.relative_to(prefix).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("directory", path.stat().st_mode)
        elif name != "conda-meta/history":
            found[name] = ("file", path.stat().st_mode, path.read_bytes())
    return found


def output_of(*argv: str | Path) -> str:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True).stdout.strip()


def beside(target: Path) -> list[str]:
    """What lies beside a target, but its lock file."""
    own = (target.name, f".{target.name}.lock")
    return sorted(path.name for path in target.parent.iterdir() if path.name not in own)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short path: in a long one, scripts of wheels begin in another way."""
    with tempfile.TemporaryDirectory(prefix="e", dir="/tmp") as place:
        yield Path(place)


@pytest.mark.parametrize("name", ["x", "a-longer-name"])
def test_a_clone_is_byte_for_byte_what_an_installation_would_be(mixed: Lock, config: Config, short: Path, name: str):
    make(mixed, short / "first" / "env", config)
    target = short / "root" / name
    assert cloned(mixed, target, config)
    made = contents(target)
    assert audit(target, mixed).faults == ()
    assert output_of(target / "bin" / "omicron", "x") == "omicron 1.0 x"
    assert output_of(target / "bin" / "alpha", "x").startswith("alpha 2.0")
    assert output_of(target / "bin" / "prefixed") == f"{target}/share"
    assert beside(target) == []
    make(mixed, target, config, force=True)
    assert contents(target) == made


def test_scripts_that_begin_with_a_shell_since_their_path_is_long_are_cloned_too(
    mixed: Lock, config: Config, short: Path
):
    first = short / ("n" * 80)
    make(mixed, first, config)
    assert (first / "bin" / "omicron").read_bytes().startswith(b"#!/bin/sh")
    assert cloned(mixed, short / "second", config)
    assert output_of(short / "second" / "bin" / "omicron", "x") == "omicron 1.0 x"
    assert audit(short / "second", mixed).faults == ()


def test_the_environment_of_an_interpreter_elsewhere_is_cloned_too(
    config: Config, tmp_path: Path, running_python: str, monkeypatch: pytest.MonkeyPatch
):
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0", scripts={"omicron": "omicron:main"})
    lock = make_lock([pypi_package(wheel)], python=running_python, interpreter="uv")
    make(lock, tmp_path / "first", config)
    assert cloned(lock, tmp_path / "second", config)
    assert output_of(tmp_path / "second" / "bin" / "omicron", "x") == "omicron 1.0 x"
    assert audit(tmp_path / "second", lock).faults == ()
    monkeypatch.setattr(template, "leads_to", lambda link: (1, 1) if link.startswith("/") else (0, 0))
    assert cloned(lock, tmp_path / "third", config) is None, "its interpreter is another one now"


def test_a_second_call_finds_it_there(small: Lock, config: Config, tmp_path: Path):
    make(small, tmp_path / "first", config)
    assert cloned(small, tmp_path / "second", config) is True
    assert cloned(small, tmp_path / "second", config) is False


def test_without_a_first_one_it_must_be_installed(small: Lock, config: Config, tmp_path: Path):
    assert cloned(small, tmp_path / "second", config) is None
    make(small, tmp_path / "first", config)
    shutil.rmtree(tmp_path / "first")
    assert cloned(small, tmp_path / "second", config) is None
    assert not (tmp_path / "second").exists()
    assert [name for name in beside(tmp_path / "second") if name.endswith((".tmp", ".old"))] == []


def edited(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def replaced(path: Path) -> None:
    status = path.stat()
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def of_another_mode(path: Path) -> None:
    path.chmod(0o600)


@pytest.mark.parametrize("change", [edited, replaced, of_another_mode, Path.unlink])
def test_where_a_shared_file_has_changed_nothing_of_the_first_one_is_used(
    small: Lock, cold_client: Any, conda_channel: Path, tmp_path: Path, change: Callable[[Path], None]
):
    config = Config(
        directories=cold_client.config.directories,
        mirrors=Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}"),
    )
    make(small, tmp_path / "first", config)
    files = [path for path in sorted((tmp_path / "first" / "share").rglob("*")) if path.is_file()]
    shared = next(path for path in files if path.stat().st_nlink > 1)
    change(shared)
    assert cloned(small, tmp_path / "second", config) is None
    assert make(small, tmp_path / "second", config), "an installation compares every byte"
    assert audit(tmp_path / "second", small).faults == ()
    assert cloned(small, tmp_path / "third", config), "of the second one, which was verified"


@pytest.mark.parametrize("half", [0, 1])
def test_each_of_the_two_processes_that_link_sees_what_has_changed(
    mixed: Lock, config: Config, tmp_path: Path, half: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("envtag.util.beside._can_copy", lambda: True)
    make(mixed, tmp_path / "first", config)
    assert cloned(mixed, tmp_path / "second", config)
    found = template.read(config.directories, mixed.id)
    assert found is not None
    directory, files = next((path, files) for path, files in cloning._halves(found)[half].items() if files)
    changed = tmp_path / "first" / directory / files[0][0]
    replaced(changed)  # has a file of its own then: the package caches are not touched
    assert cloned(mixed, tmp_path / "third", config) is None
    assert not (tmp_path / "third").exists()


def test_where_a_file_of_its_own_has_changed_nothing_of_the_first_one_is_used(
    small: Lock, config: Config, tmp_path: Path
):
    make(small, tmp_path / "first", config)
    text = tmp_path / "first" / "share" / "prefixed.txt"
    status = text.stat()
    text.write_bytes(text.read_bytes().replace(b"prefix=", b"Prefix="))
    os.utime(text, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cloned(small, tmp_path / "second", config) is None
    assert not template.template_path(config.directories, small.id).exists()


def test_what_a_user_adds_to_the_first_one_is_not_in_the_second(small: Lock, config: Config, tmp_path: Path):
    make(small, tmp_path / "first", config)
    (tmp_path / "first" / "share" / "mine").write_text("mine")
    assert cloned(small, tmp_path / "second", config)
    assert not (tmp_path / "second" / "share" / "mine").exists()


def test_where_no_links_can_be_made_it_must_be_installed(
    small: Lock, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make(small, tmp_path / "first", config)

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    assert cloned(small, tmp_path / "second", config) is None
    monkeypatch.undo()
    assert cloned(small, tmp_path / "second", config), "the first one is still good"


@pytest.mark.parametrize("name", ["with a blank", "it's", "long/" * 60 + "name"])
def test_a_path_that_does_not_fit_where_it_would_be_written_is_left_to_the_installers(
    small: Lock, config: Config, tmp_path: Path, name: str
):
    make(small, tmp_path / "first", config)
    assert cloned(small, tmp_path / name, config) is None


def test_a_script_whose_first_line_would_be_too_long_is_left_to_the_installers(
    mixed: Lock, config: Config, short: Path, tmp_path: Path
):
    make(mixed, short / "env", config)
    target = tmp_path / ("n" * 100)
    assert cloned(mixed, target, config) is None
    assert make(mixed, target, config)
    assert output_of(target / "bin" / "omicron", "x") == "omicron 1.0 x"


def test_a_place_that_is_taken_is_refused(small: Lock, config: Config, tmp_path: Path):
    make(small, tmp_path / "first", config)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "file").touch()
    with pytest.raises(FatalError, match="holds something that envtag did not make"):
        cloned(small, tmp_path / "second", config)


def test_an_environment_of_another_lock_at_the_place_of_the_first_one_is_not_taken_for_it(
    small: Lock, config: Config, conda_channel: Path, tmp_path: Path
):
    other = make_lock([conda_package(conda_channel, "tzish")], python="")
    make(small, tmp_path / "first", config)
    make(other, tmp_path / "first", config, force=True)
    assert cloned(small, tmp_path / "second", config) is None


_DRIVER = """\
import os, pickle, signal, sys
from pathlib import Path
from envtag.output import Output
from envtag.prefix import activation, cloning, marker, place
lock, config = pickle.loads(Path(sys.argv[1]).read_bytes())
owner, name = {"linked": (cloning, "_write_own"), "written": (marker, "write"), "named": (place, "put_in_place")}[
    sys.argv[3]]
setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
cloning.clone(lock, Path(sys.argv[2]), config=config, output=Output())
"""


@pytest.mark.parametrize("step", ["linked", "written", "named"])
def test_after_a_kill_at_any_step_the_next_one_finishes(small: Lock, config: Config, tmp_path: Path, step: str):
    import pickle

    make(small, tmp_path / "first", config)
    target = tmp_path / "root" / "env"
    (tmp_path / "work").write_bytes(pickle.dumps((small.id, config)))
    argv = [sys.executable, "-c", _DRIVER, str(tmp_path / "work"), str(target), step]
    killed = subprocess.run(argv, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(beside(target)) == 1
    assert cloned(small, target, config)
    assert is_whole(target, small.id)
    assert beside(target) == []


def test_several_at_once_make_it_once(small: Lock, config: Config, tmp_path: Path):
    from concurrent.futures import ThreadPoolExecutor

    make(small, tmp_path / "first", config)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: cloned(small, tmp_path / "second", config), range(8)))
    assert sorted(map(str, made)) == ["False"] * 7 + ["True"]


def test_a_template_of_another_version_or_a_damaged_one_is_as_good_as_none(small: Lock, config: Config, tmp_path: Path):
    make(small, tmp_path / "first", config)
    path = template.template_path(config.directories, small.id)
    document = json.loads(path.read_bytes())
    for text in (json.dumps({**document, "version": 0}), json.dumps({**document, "more": 1}), "[1]", "{"):
        path.write_text(text)
        assert cloned(small, tmp_path / "second", config) is None
    path.write_text(json.dumps(document))
    assert cloned(small, tmp_path / "second", config)
    assert cloning.clone("0" * 40, tmp_path / "third", config=config, output=Output()) is None
