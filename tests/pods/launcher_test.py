from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.pods.launcher import write_launcher

TELL = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    found = tmp_path / "a prefix"
    (found / "bin").mkdir(parents=True)
    (found / "bin" / "python").symlink_to(sys.executable)
    (found / "etc" / "conda" / "env_vars.d").mkdir(parents=True)
    return found


def told(path: Path, environ: dict[str, str]) -> dict[str, str]:
    done = subprocess.run([path, "-c", TELL], env=environ, capture_output=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_nothing_of_the_images_python_is_around_it(prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "code" / ".mf_code").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "code")
    environ = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{tmp_path}/code/.mf_code:/image:{tmp_path}/lib:",
        "PYTHONHOME": "/image", "PYTHONSTARTUP": "/image/x", "PYTHONUNBUFFERED": "x",
        "LD_LIBRARY_PATH": "/image/lib:/usr/local/nvidia/lib64",
        "VIRTUAL_ENV": "/image", "KEPT": "yes",
    }  # fmt: skip
    write_launcher(tmp_path / "pod" / "python", prefix, environ, {"_TOLD": 'it\'s "$HOME" `x`\n{}'})
    found = told(tmp_path / "pod" / "python", environ)
    assert found["PYTHONPATH"] == f"{tmp_path}/code/.mf_code"
    assert found["LD_LIBRARY_PATH"] == "/usr/local/nvidia/lib64"
    assert found["PATH"] == f"{prefix}/bin:/usr/bin:/bin"
    assert found["_TOLD"] == 'it\'s "$HOME" `x`\n{}'
    assert (found["PYTHONNOUSERSITE"], found["PYTHONUNBUFFERED"], found["KEPT"]) == ("1", "x", "yes")
    assert not {"PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"} & set(found)


def test_what_packages_set_and_source_is_there(prefix: Path, tmp_path: Path):
    (prefix / "etc" / "conda" / "env_vars.d" / "a.json").write_text('{"LD_LIBRARY_PATH": "/theirs", "DECLARED": "a b"}')
    (prefix / "etc" / "conda" / "activate.d").mkdir()
    (prefix / "etc" / "conda" / "activate.d" / "a.sh").write_text('export SOURCED="$CONDA_PREFIX"\n')
    environ = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/image"}
    write_launcher(tmp_path / "python", prefix, environ, {})
    found = told(tmp_path / "python", environ)
    assert (found["LD_LIBRARY_PATH"], found["DECLARED"], found["SOURCED"]) == ("/theirs", "a b", str(prefix))


def test_an_environment_without_a_python_is_refused(tmp_path: Path):
    with pytest.raises(FatalError, match="has no Python, so that no step can run in it"):
        write_launcher(tmp_path / "python", tmp_path, {}, {})


def test_a_variable_that_no_shell_can_set_is_refused(prefix: Path, tmp_path: Path):
    (prefix / "etc" / "conda" / "env_vars.d" / "a.json").write_text('{"A; touch x": "1"}')
    with pytest.raises(FatalError, match="sets a variable `A; touch x`"):
        write_launcher(tmp_path / "python", prefix, {}, {})
