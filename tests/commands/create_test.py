from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.prefix import marker
from support.index import Index
from support.story import CONDA_FORGE, HERE, MINOR, Story
from support.web import web_server

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")

NAME = "mlp/tz"
TZ = f"{NAME}:v1"
#: envtag, which writes a line to a file when it begins to build, and dies at one point if it is told to.
_BUILDER = """
import os, signal, sys
from envtag.cli import main
from envtag.prefix import activation, conda, place

log, deadly, *argv = sys.argv[1:]

def before(owner, name):
    real = getattr(owner, name)
    def call(*words, **settings):
        with open(log, "a") as stream:
            stream.write(name + "\\n")
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*words, **settings)
    setattr(owner, name, call)

before(conda, "install")
before(conda, "_write_canonical_urls")
before(activation, "write_shell_file")
before(place, "put_in_place")
main(argv)
"""
POINTS = ["install", "_write_canonical_urls", "write_shell_file", "put_in_place"]


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages, `v2` with one more; pushed, not published."""
    for tag, more in (("v1", ""), ("v2", ", activating")):
        text = f"channels: [conda-forge]\ndependencies: [prefixed, tzish{more}]\n"
        story.resolve(f"{NAME}:{tag}", environment=text, options=("--platform", HERE))
        story.commit(tag)


@pytest.fixture
def tz(make_story: Callable[..., Story]) -> Story:
    story = make_story(published)
    story.call("publish")
    return story


def build(story: Story, log: Path, *arguments: str, deadly: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _BUILDER, str(log), deadly, "create", *arguments]
    return subprocess.Popen(command, cwd=story.path, env=story.environ, text=True, stdout=subprocess.PIPE)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def works(prefix: Path) -> bool:
    said = subprocess.run([prefix / "bin" / "prefixed"], capture_output=True, text=True, check=True).stdout
    return said == f"{prefix}/share\n"


def test_it_is_made_under_the_root_by_its_id_and_its_path_is_printed(tz: Story):
    with tz.registry() as registry:
        lock = registry.environment(NAME, f"{NAME}@v1").lock(HERE)
    told = tz.run("create", TZ)
    path = Path(told.out.strip())
    assert path == tz.config.directories.environments / lock.id
    assert works(path)
    assert tz.run("create", TZ).out == told.out


def test_a_prefix_of_ones_own_is_made_once_and_never_over_something_else(tz: Story):
    target = tz.path.parent / "a place" / "env"
    told = tz.run("create", TZ, "--prefix", str(target))
    assert told.out == f"{target}\n"
    assert told.err == f"created {TZ}; run in it: `{target}/bin/python`\n"
    assert works(target)
    assert tz.run("create", TZ, "--prefix", str(target)).err.startswith(f"already there, {TZ}")
    before = marker.read(target)
    assert before is not None

    told = tz.run("create", f"{NAME}:v2", "--prefix", str(target), check=1)
    assert told.err.startswith(f"error: {target} holds the environment of lock {before.lock}, not of ")
    assert "`--force`" in told.err
    assert marker.read(target) == before

    assert tz.run("create", f"{NAME}:v2", "--prefix", str(target), "--force").err.startswith(f"created {NAME}:v2")
    assert marker.read(target) != before
    assert works(target)


def test_a_directory_of_the_user_s_is_kept_unless_forced(tz: Story):
    target = tz.path.parent / "mine"
    target.mkdir()
    (target / "notes.txt").write_text("mine\n")
    told = tz.run("create", TZ, "--prefix", str(target), check=1)
    assert told.err.startswith(f"error: {target} holds something that envtag did not make\n")
    assert names_in(target) == ["notes.txt"]
    tz.run("create", TZ, "--prefix", str(target), "--force")
    assert works(target)
    assert not (target / "notes.txt").exists()


def test_a_relative_prefix_is_below_the_working_directory(tz: Story, tmp_path: Path):
    told = tz.run("--registry", str(tz.path), "create", TZ, "--prefix", "env", cwd=tmp_path)
    assert told.out == f"{tmp_path}/env\n"
    assert works(tmp_path / "env")


def test_a_name_of_ones_own_is_below_the_client_s_root(tz: Story):
    target = tz.config.directories.named / "try-1"
    assert tz.run("create", TZ, "--name", "try-1").out == f"{target}\n"
    assert works(target)
    assert "not of" in tz.run("create", f"{NAME}:v2", "--name", "try-1", check=1).err
    told = tz.run("create", TZ, "--name", "../escape", check=1)
    assert "`../escape`" in told.err
    assert not (target.parent.parent / "escape").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prefix", "x", "--name", "y"], "`--prefix` and `--name` both say where"),
        (["--force"], "`--force` goes with `--prefix` or `--name`"),
    ],
)
def test_options_that_contradict_are_refused(tz: Story, options: list[str], message: str):
    told = tz.call("create", TZ, *options, check=1)
    assert told.err.startswith(f"error: {message}\n")
    assert not tz.config.directories.environments.exists()


@pytest.mark.parametrize("where", ["root", "prefix"])
def test_many_at_once_all_succeed_and_one_builds(tz: Story, tmp_path: Path, where: str):
    options = ["--prefix", str(tmp_path / "env")] if where == "prefix" else []
    running = [build(tz, tmp_path / "log", TZ, *options) for _ in range(5)]
    told = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0] * 5
    (line,) = told
    assert works(Path(line.strip()))
    assert (tmp_path / "log").read_text().splitlines() == POINTS
    beside = [path.name for path in Path(line.strip()).parent.iterdir() if path.name.endswith((".tmp", ".old"))]
    assert beside == []


@pytest.mark.parametrize("deadly", POINTS)
def test_a_creation_that_was_killed_leaves_nothing_at_its_place_and_the_next_one_finishes(
    tz: Story, tmp_path: Path, deadly: str
):
    target = tmp_path / "root" / "env"
    dead = build(tz, tmp_path / "log", TZ, "--prefix", str(target), deadly=deadly)
    dead.communicate(timeout=60)
    assert dead.returncode == -signal.SIGKILL
    assert not target.exists()
    assert tz.run("create", TZ, "--prefix", str(target)).err.startswith(f"created {TZ}")
    assert works(target)
    assert names_in(target.parent) == [".env.lock", "env"]


def test_a_forced_replacement_that_was_killed_keeps_the_old_one(tz: Story, tmp_path: Path):
    target = tmp_path / "root" / "env"
    tz.run("create", TZ, "--prefix", str(target))
    before = marker.read(target)
    words = (f"{NAME}:v2", "--prefix", str(target), "--force")
    build(tz, tmp_path / "log", *words, deadly="put_in_place").communicate(timeout=60)
    assert marker.read(target) == before
    assert works(target)
    tz.run("create", *words)
    assert marker.read(target) != before
    assert names_in(target.parent) == [".env.lock", "env"]


def test_a_source_distribution_is_the_wheel_that_was_built_of_it_at_its_publication(story: Story, tmp_path: Path):
    story.resolve("sdist:v1", requirements="delta\n", options=("--platform", HERE, "--python", MINOR))
    story.commit("sdist:v1")
    story.call("publish")
    store = story.config.directories.default_store.as_uri()
    for name in ("sdist:v1", "sdist"):  # a tag names its manifest; of `latest`, the store's record of its lock does
        other = {"ENVTAG_HOME": str(tmp_path / name), "ENVTAG_STORE": store, "ENVTAG_MIRRORS": ""}
        told = story.run("create", name, "--offline", **other)
        python = Path(told.out.strip()) / "bin" / "python"
        code = "import beta, delta; print(delta.__version__, beta.__version__)"
        assert subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout == "1.0 2.0\n"


def test_a_source_distribution_that_was_not_published_is_not_built_offline(story: Story, tmp_path: Path):
    story.resolve("sdist:v1", requirements="delta\n", options=("--platform", HERE, "--python", MINOR))
    shutil.rmtree(story.run("create", "sdist").out.strip())
    told = story.run("create", "sdist", "--offline", "--prefix", str(tmp_path / "env"), check=1)
    assert told.err.startswith("error: delta 1.0")
    assert "is locked as a source distribution" in told.err


def test_the_credentials_of_a_mirror_and_a_signed_address_are_seen_nowhere(
    story: Story, tmp_path: Path, conda_channel: Path, pypi_index: Index
):
    story.resolve("tz", environment="channels: [conda-forge]\ndependencies: [prefixed, tzish]\n")
    story.resolve("pure", requirements="alpha\n", options=("--platform", HERE, "--python", MINOR))
    with web_server() as server:
        for directory in (conda_channel / HERE, conda_channel / "noarch", pypi_index.directory):
            for path in directory.iterdir():
                if path.name.startswith(("prefixed-", "tzish-", "alpha-", "beta-")):
                    kind = directory.name if directory.parent == conda_channel else "files"
                    server.files[f"/t/tk-0451/mirror/{kind}/{path.name}"] = path.read_bytes()
        mirror = server.url.replace("://", "://someone:hunter2@") + "/t/tk-0451/mirror"
        mirrors = {"ENVTAG_MIRRORS": f"{CONDA_FORGE}={mirror} {pypi_index.root}/files={mirror}/files"}
        home = tmp_path / "cold"
        other = {**mirrors, "ENVTAG_HOME": str(home), "ENVTAG_STORE": (tmp_path / "empty").as_uri()}
        told = [story.run("create", name, **other) for name in ("tz", "pure")]
        told += [story.run("show", name, "--json", **other) for name in ("tz", "pure")]
        told += [story.run("config", "--json", **other)]
        assert server.asked != []
        signed = {key: f"{value}?X-Amz-Signature=sg-0451" for key, value in mirrors.items()}
        other = {**other, **signed, "ENVTAG_HOME": str(tmp_path / "colder")}
        told += [story.run("create", "pure", check=1, **other)]
        story.resolve("pure", requirements="alpha\n", options=("--platform", HERE, "--python", MINOR))
    told += [story.run("create", "pure", check=1, **{**other, **mirrors, "ENVTAG_HOME": str(tmp_path / "coldest")})]
    secrets = ("hunter2", "tk-0451", "sg-0451")
    assert [text for item in told for text in secrets if text in item.out + item.err] == []
    files = [path for path in (*tmp_path.glob("cold*/**/*"), *story.path.rglob("*")) if path.is_file()]
    assert len(files) > 50
    assert [path for path in files if any(text.encode() in path.read_bytes() for text in secrets)] == []


@pytest.mark.parametrize(
    "url",
    ["file://me:hunter2@host/srv", "s3://me:hunter2@bucket/x", "s3://bucket/x?X-Amz-Signature=hunter2", "me:hunter2@x"],
)
def test_a_store_with_a_credential_in_its_url_is_refused_without_showing_it(tz: Story, url: str):
    told = tz.run("create", TZ, check=1, ENVTAG_STORE=url)
    assert told.err.startswith("error: ")
    assert "hunter2" not in told.err
