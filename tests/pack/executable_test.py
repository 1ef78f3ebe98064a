from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import envtag
from envtag import manifest as manifests
from envtag.errors import FatalError
from envtag.output import Output
from envtag.pack import executable
from envtag.pack.executable import executable_of, header, own_code
from envtag.pack.reading import HEADER_MARK, HEADER_SIZE
from envtag.pack.writing import Executable
from envtag.platforms import current_platform
from support.packs import Sample, sample, stored_wheel

MINOR = "{}.{}".format(*sys.version_info[:2])
#: Stands for envtag where only the header is tried: it says what it was called with.
_STAND_IN = """
import os, sys
def main(arguments):
    print(arguments, os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    sys.exit(int(arguments[arguments.index("--code") + 1]) if "--code" in arguments else 0)
"""


@pytest.fixture
def found(tmp_path: Path) -> Sample:
    return sample(tmp_path / "archives", current_platform())


@pytest.fixture
def file(tmp_path: Path, found: Sample) -> Path:
    """A self-extracting file with a stand-in for envtag in it."""
    stand_in = tmp_path / "envtag.zip"
    with zipfile.ZipFile(stand_in, "w") as archive:
        archive.writestr("envtag/__init__.py", "")
        archive.writestr("envtag/cli/__init__.py", _STAND_IN)
        archive.writestr("uv-1.data/scripts/uv", "#!/bin/sh\n")
    path = tmp_path / "x.sh"
    found.pack(path, Executable(header=header("3.10"), files={"runtime/envtag.zip": stand_in}))
    return path


def run(path: Path, *arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **(environ or {})}
    return subprocess.run(["sh", path, *arguments], env=variables, capture_output=True, text=True, check=False)


def test_the_header_is_as_long_as_it_must_be_and_names_the_python():
    made = header("3.12")
    assert len(made) == HEADER_SIZE
    assert made.startswith(HEADER_MARK)
    assert b"Python 3.12 or newer" in made
    assert b"@" not in made.replace(b'"$@"', b"")


def test_it_runs_what_is_in_it_with_the_users_arguments_and_cleans_up(file: Path, tmp_path: Path):
    (tmp_path / "tmp").mkdir()
    done = run(file, "--prefix", "a b", "--code", "5", environ={"TMPDIR": str(tmp_path / "tmp")})
    assert done.stdout.startswith(str(["unpack", "--prefix", "a b", "--code", "5", "--", str(file)]))
    assert str(tmp_path / "tmp") in done.stdout
    assert done.returncode == 5
    assert list((tmp_path / "tmp").iterdir()) == []


def test_nothing_of_the_users_own_python_is_mixed_in(file: Path, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(9)")
    assert run(file, environ={"PYTHONPATH": str(tmp_path)}).returncode == 0


def test_without_a_python_it_says_so(file: Path, tmp_path: Path):
    (tmp_path / "bin").mkdir()
    for name in ("sh", "echo"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    done = subprocess.run(
        [tmp_path / "bin" / "sh", file],
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: unpacking needs Python 3.10 or newer")


@pytest.mark.parametrize("part", [0.05, 0.2, 0.35])
def test_a_file_that_was_cut_off_or_edited_runs_nothing(file: Path, part: float):
    data = file.read_bytes()
    file.write_bytes(data[: HEADER_SIZE + int((len(data) - HEADER_SIZE) * part)])
    done = run(file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: `{file}` is damaged: ")
    assert "Traceback" not in done.stderr


def test_code_that_was_edited_is_not_run(file: Path):
    data = file.read_bytes()
    file.write_bytes(data.replace(b"print(arguments", b"print(evil****s"))
    assert run(file).stderr.startswith(f"error: `{file}` is damaged: runtime/envtag.zip has other bytes")


def test_our_own_code_is_the_same_bytes_each_time_and_all_of_it():
    data = own_code()
    assert data == own_code()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    root = Path(envtag.__file__).parent
    assert set(names) == {f"envtag/{path.relative_to(root).as_posix()}" for path in root.rglob("*.py")} | {
        "envtag/pack/header.sh"
    }


def test_windows_has_no_shell_for_it(tmp_path: Path, client):
    with pytest.raises(FatalError, match="a shell script, which win-64 cannot run"):
        executable_of(
            sample(tmp_path, "win-64").manifest, store=None, config=client.config, offline=False, output=Output()
        )


def test_offline_the_wheels_must_have_been_found_before(found: Sample, client):
    with pytest.raises(FatalError, match="is not in the local cache, and this is offline"):
        executable_of(found.manifest, store=None, config=client.config, offline=True, output=Output())


def test_the_wheels_are_looked_for_once(found: Sample, client, tmp_path: Path, monkeypatch):
    asked = []
    package, path = stored_wheel(tmp_path / "wheels", "small-thing", "1.0")
    package = package._replace(url=path.as_uri())

    class Engine:
        def solve(self, problem, *, mirrors, cache):
            asked.append([item.text for item in problem.requirements])
            return (package,)

    monkeypatch.setattr(executable, "pypi_engine", Engine)
    config = client.config
    for _ in range(2):
        made = executable_of(found.manifest, store=None, config=config, offline=False, output=Output())
        assert sorted(made.files) == [f"runtime/envtag-{envtag.__version__}.zip", f"runtime/{path.name}"]
        assert made.files[f"runtime/envtag-{envtag.__version__}.zip"].read_bytes() == own_code()
    assert len(asked) == 1
    assert all("==" in text for text in asked[0] if not text.startswith("tomli"))


def test_a_wheel_for_one_python_alone_will_not_do(found: Sample, client, monkeypatch):
    package = found.manifest.archives()[-1]._replace(url="https://files.example.org/x-1.0-cp311-cp311-any.whl")

    class Engine:
        def solve(self, problem, *, mirrors, cache):
            return (package,)

    monkeypatch.setattr(executable, "pypi_engine", Engine)
    with pytest.raises(FatalError, match="no wheel that every Python can use"):
        executable_of(found.manifest, store=None, config=client.config, offline=False, output=Output())


@pytest.mark.network
def test_it_unpacks_where_there_is_only_sh_and_a_python(tmp_path: Path, client):
    found = sample(tmp_path / "archives", current_platform(), wheel=False)
    runtime = executable_of(found.manifest, store=None, config=client.config, offline=False, output=Output())
    first = found.pack(tmp_path / "x.sh", runtime)
    again = executable_of(found.manifest, store=None, config=client.config, offline=True, output=Output())
    assert found.pack(tmp_path / "y.sh", again) == first
    home = tmp_path / "other-home"
    home.mkdir()
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    done = subprocess.run(
        ["env", "-i", f"PATH={Path(python).parent}:/usr/bin:/bin", f"HOME={home}", "sh", tmp_path / "x.sh",
         "--prefix", tmp_path / "there"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'there'}\n"), done.stderr
    assert subprocess.run([tmp_path / "there" / "bin" / "tool"], capture_output=True, check=True).stdout == b"tool\n"


@pytest.mark.network
def test_wheels_for_a_foreign_platform_are_had_as_well(tmp_path: Path, client):
    found = sample(tmp_path, "osx-arm64")
    made = executable_of(found.manifest, store=None, config=client.config, offline=False, output=Output())
    assert any("macosx" in name and "arm64" in name for name in made.files)
    (kept,) = (client.config.directories.cache / "runtimes").glob("*.json")
    assert manifests.parse(kept.read_bytes(), "x").lock.platform == "osx-arm64"
    assert json.loads(kept.read_bytes())["version"] == 1
