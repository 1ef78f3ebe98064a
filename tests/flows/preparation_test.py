from __future__ import annotations

from pathlib import Path

from envtag.flows.preparation import activation_variables, interpreter


def conda_prefix(place: Path) -> Path:
    (place / "bin").mkdir(parents=True)
    (place / "etc" / "conda" / "env_vars.d").mkdir(parents=True)
    (place / "etc" / "conda" / "env_vars.d" / "a.json").write_text('{"DECLARED": "yes"}')
    return place


def test_a_prefix_without_scripts_is_its_python(tmp_path: Path):
    prefix = conda_prefix(tmp_path / "p")
    assert interpreter(prefix) == (str(prefix / "bin" / "python"),)


def test_scripts_run_before_python(tmp_path: Path):
    prefix = conda_prefix(tmp_path / "p")
    (prefix / "etc" / "conda" / "activate.d").mkdir()
    (prefix / "etc" / "conda" / "activate.d" / "a.sh").write_text("export A=1\n")
    words = interpreter(prefix)
    assert words[-1] == str(prefix / "bin" / "python")
    assert "a.sh" in " ".join(words)


def test_variables_of_another_environment_are_emptied(tmp_path: Path):
    prefix = conda_prefix(tmp_path / "p")
    found = activation_variables(prefix, {"PATH": "/usr/bin", "VIRTUAL_ENV": "/old", "HOME": "/home"})
    assert found["VIRTUAL_ENV"] == ""
    assert found["DECLARED"] == "yes"
    assert found["CONDA_PREFIX"] == str(prefix)
    assert found["PATH"].split(":")[0] == str(prefix / "bin")
    assert "HOME" not in found
