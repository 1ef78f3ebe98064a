from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.lock import Lock, read
from envtag.uv_program import run_uv
from support.docker import steps
from support.story import HERE, MINOR, Story, mixed

HASHES = ("--require-hashes", "--no-deps")


@pytest.fixture
def story(make_story) -> Story:
    return make_story(mixed)


def lock_of(story: Story, name: str, platform: str = HERE) -> Lock:
    return read(story.files(name)[f"{platform}-lock.yml"].encode(), name)


def exported(story: Story, name: str, kind: str, *options: str, file: str = "") -> Path:
    """An environment in another format, in a file."""
    path = story.place / (file or f"{kind}.out")
    told = story.call("export", name, "--to", kind, *options, "-o", str(path))
    assert told.out == ""
    assert f"wrote `{path}`: {name}" in told.err
    return path


def importing(story: Story, *arguments: object) -> dict[str, str]:
    """Platform to the id of the lock that an import gives; nothing is written."""
    told = story.call("import", *map(str, arguments), "--dry-run", "--json")
    return {platform: item["lock"] for platform, item in told.json["platforms"].items()}


@pytest.mark.parametrize(
    ("name", "kind", "file"),
    [
        ("mlp/base:v1", "conda-lock", "conda-lock.yml"),
        ("mlp/mix:v1", "conda-lock", "conda-lock.yml"),
        ("mlp/pure:v1", "conda-lock", "conda-lock.yml"),
        ("mlp/base:v1", "pixi", "pixi.lock"),
        ("mlp/mix:v1", "pixi", "pixi.lock"),
        ("mlp/mix:v1", "explicit", "explicit.txt"),
        ("mlp/pure:v1", "pylock", "pylock.toml"),
        ("mlp/pure:v1", "requirements", "requirements.txt"),
    ],
)
def test_what_is_exported_and_imported_has_the_same_lock_id(story, name, kind, file):
    path = exported(story, name, kind, file=file)
    index = ("--index-url", story.index_url) if kind == "requirements" else ()
    wanted = {
        item.removesuffix("-lock.yml"): lock_of(story, name[:-3], item.removesuffix("-lock.yml")).id
        for item in story.files(name[:-3])
        if item.endswith("-lock.yml")
    }
    if kind == "explicit":
        wanted = {HERE: wanted[HERE]}
    assert importing(story, path, *index) == wanted


def test_a_mixed_environment_goes_out_in_two_files_and_comes_back_from_both(story):
    conda = exported(story, "mlp/mix:v1", "explicit", file="explicit.txt")
    conda.write_text("".join(line for line in conda.read_text().splitlines(True) if not line.startswith("# pip")))
    pylock = exported(story, "mlp/mix:v1", "pylock", file="pylock.toml")
    wanted = {HERE: lock_of(story, "mlp/mix").id}
    assert importing(story, conda, pylock) == wanted
    requirements = exported(story, "mlp/mix:v1", "requirements", file="requirements.txt")
    assert importing(story, conda, requirements, "--index-url", story.index_url) == wanted


def test_conda_lock_itself_renders_what_was_exported(story, tmp_path):
    path = exported(story, "mlp/mix:v1", "conda-lock", file="conda-lock.yml")
    command = [sys.executable, "-m", "conda_lock", "render", "-k", "explicit", "-p", HERE, str(path)]
    subprocess.run(command, cwd=tmp_path, env=dict(story.environ), check=True, capture_output=True, timeout=120)
    lines = (tmp_path / f"conda-{HERE}.lock").read_text().splitlines()
    lock = lock_of(story, "mlp/mix")
    assert {line for line in lines if line.startswith("http")} == {
        f"{package.url}#{package.md5}" for package in lock.by_manager("conda")
    }
    assert {line.split()[2] for line in lines if line.startswith("# pip ")} == {
        package.name for package in lock.by_manager("pypi")
    }


@pytest.mark.parametrize("name", ["mlp/base:v1", "mlp/mix:v1"])
@pytest.mark.parametrize("kind", ["conda-lock", "pixi"])
def test_rattler_reads_every_archive_with_its_sha256(story, name, kind):
    from rattler import LockFile

    environment = LockFile.from_path(exported(story, name, kind)).default_environment()
    assert environment is not None
    for platform in environment.platforms():
        lock = lock_of(story, name[:-3], platform.name)
        records = environment.conda_repodata_records_for_platform(platform) or []
        assert {record.url: record.sha256.hex() for record in records} == {
            package.url: package.sha256 for package in lock.by_manager("conda")
        }
        pypi = environment.pypi_packages_for_platform(platform) or []
        assert {item.name: item.hashes.sha256.hex() for item in pypi if item.hashes and item.hashes.sha256} == {
            package.name: package.sha256 for package in lock.by_manager("pypi")
        }


@pytest.mark.parametrize("kind", ["requirements", "pylock"])
def test_uv_installs_it_with_every_hash_required(story, tmp_path, kind):
    file = {"requirements": "requirements.txt", "pylock": "pylock.toml"}[kind]
    path = exported(story, "mlp/pure:v1", kind, file=file)
    options = (*HASHES, "--default-index", story.index_url) if kind == "requirements" else ("--no-deps",)
    arguments = [
        "pip",
        "install",
        "--target",
        str(tmp_path / "site"),
        "--python-version",
        MINOR,
        *options,
        "-r",
        str(path),
    ]
    run_uv(arguments, cache=story.config.directories.uv, check="uv refuses what was exported")
    installed = {item.name.split("-")[0] for item in (tmp_path / "site").glob("*.dist-info")}
    assert installed == {package.name for package in lock_of(story, "mlp/pure").packages}


def test_pip_installs_it_with_every_hash_required_and_refuses_another_one(story, tmp_path):
    path = exported(story, "mlp/pure:v1", "requirements", file="requirements.txt")
    command = [
        sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *HASHES,
        "--index-url", story.index_url, "--target", str(tmp_path / "site"), "-r", str(path),
    ]  # fmt: skip
    done = subprocess.run(command, env=dict(story.environ), capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert len(list((tmp_path / "site").glob("*.dist-info"))) == len(lock_of(story, "mlp/pure").packages)
    text = path.read_text()
    first = text.index("sha256:") + 7
    path.write_text(text[:first] + "0" * 64 + text[first + 64 :])
    done = subprocess.run(command, env=dict(story.environ), capture_output=True, check=False, timeout=120)
    assert b"DO NOT MATCH" in done.stderr


def test_an_environment_yml_is_solved_to_the_same_packages(story):
    path = exported(story, "mlp/base:v1", "environment.yml", "--platform", HERE, file="environment.yml")
    told = story.call("resolve", "-f", str(path), "--platform", HERE, "--dry-run", "--json")
    assert told.json["platforms"][HERE]["lock"] == lock_of(story, "mlp/base").id


def test_a_dockerfile_s_steps_make_the_environment(story, tmp_path):
    """There is no docker here: its files are written and its commands run, with a prefix of the test's."""
    found = steps(exported(story, "mlp/mix:v1", "dockerfile").read_text())
    files = {step.text: step.file for step in found if step.file is not None}
    assert set(files) == {"/tmp/explicit.txt", "/tmp/requirements.txt"}
    create, install = (step.text for step in found if step.instruction == "RUN")
    assert create == "micromamba create --yes --quiet --prefix /opt/env --file /tmp/explicit.txt"
    conda = tmp_path / "explicit.txt"
    conda.write_text(files["/tmp/explicit.txt"] or "")
    story.call("import", str(conda), "--alias", "team/image")
    prefix = tmp_path / "env"
    story.call("create", "team/image", "--prefix", str(prefix))
    (tmp_path / "requirements.txt").write_text(files["/tmp/requirements.txt"] or "")
    program, *arguments = install.replace("/tmp/", f"{tmp_path}/").replace("/opt/env", str(prefix)).split()
    assert program == "uv"
    done = run_uv([*arguments, "--default-index", story.index_url], cache=tmp_path / "uv")
    assert done.returncode == 0, done.stderr.decode()
    command = [str(prefix / "bin" / "python"), "-c", "import click_like, torchish, numpyish"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("kind", ["cyclonedx", "spdx"])
def test_a_bill_of_materials_is_the_same_each_time(story, kind):
    first = exported(story, "mlp/mix:v1", kind, file="a.json").read_bytes()
    assert exported(story, "mlp/mix:v1", kind, file="b.json").read_bytes() == first
    names = [item["name"] for item in json.loads(first).get("components", json.loads(first).get("packages"))]
    assert {package.name for package in lock_of(story, "mlp/mix").packages} <= set(names)


def test_a_package_of_a_url_goes_out_and_comes_back_by_it(story):
    wheel = f"{story.index_url.removesuffix('/simple')}/files/epsilon-1.0-py3-none-any.whl"
    options = ("--platform", HERE, "--python", MINOR)
    story.resolve("team/direct", requirements=f"epsilon @ {wheel}\n", options=options)
    for kind, file in (("requirements", "requirements.txt"), ("pylock", "pylock.toml")):
        path = exported(story, "team/direct:latest", kind, file=file)
        assert wheel in path.read_text()
        assert importing(story, path) == {HERE: lock_of(story, "team/direct").id}


def test_stdout_is_the_document_and_stderr_what_it_leaves_out(story):
    told = story.call("export", "mlp/mix:v1", "--to", "requirements")
    assert told.out.startswith("# Of mlp/mix:v1, written by `envtag export` for")
    assert "left to conda: " in told.err
    described = story.call("export", "mlp/mix:v1", "--to", "requirements", "--json").json
    assert described["document"] == told.out
    assert described["locks"] == {HERE: lock_of(story, "mlp/mix").id}
    assert set(described) == {"name", "format", "locks", "file", "sha256", "notes", "document"}


def test_a_file_that_is_there_is_kept_unless_it_may_go(story):
    path = exported(story, "mlp/pure:v1", "pylock", file="pylock.toml")
    exported(story, "mlp/pure:v1", "pylock", file="pylock.toml")
    path.write_text("mine\n")
    told = story.call("export", "mlp/pure:v1", "--to", "pylock", "-o", str(path), check=1)
    assert f"`{path}` is there already" in told.err
    assert path.read_text() == "mine\n"
    story.call("export", "mlp/pure:v1", "--to", "pylock", "-o", str(path), "--force")
    assert path.read_text() != "mine\n"
    (story.place / "file").write_text("")
    told = story.call("export", "mlp/pure:v1", "--to", "pylock", "-o", str(story.place / "file" / "x"), check=1)
    assert "cannot be written" in told.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("mlp/base:v1", "explicit", "--platform", HERE, "--platform", "osx-arm64"),
            "a document of `explicit` is of one platform",
        ),
        (("mlp/base:v1", "explicit", "--platform", "win-64"), "is not locked for `win-64`"),
        (("mlp/pure:v1", "explicit"), "has no conda packages"),
        (("mlp/none:v1", "explicit"), "mlp/none"),
    ],
)
def test_what_cannot_be_exported_is_one_line(story, arguments, message):
    name, kind, *rest = arguments
    assert message in story.call("export", name, "--to", kind, *rest, check=1).err
