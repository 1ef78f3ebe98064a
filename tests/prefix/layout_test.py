from __future__ import annotations

from pathlib import Path

from envtag.prefix import layout

PREFIX = Path("prefix")


def test_posix_has_one_directory_of_programs():
    for venv in (True, False):
        assert layout.path_entries(PREFIX, venv=venv, windows=False) == (PREFIX / "bin",)
        assert layout.python(PREFIX, venv=venv, windows=False) == PREFIX / "bin" / "python"
    assert layout.site_packages(PREFIX, "3.11", windows=False) == PREFIX / "lib" / "python3.11" / "site-packages"


def test_windows_has_several_in_a_conda_prefix_and_one_in_a_venv():
    entries = layout.path_entries(PREFIX, venv=False, windows=True)
    assert entries[0] == PREFIX
    assert {PREFIX / "Library" / "bin", PREFIX / "Scripts"} < set(entries)
    assert layout.path_entries(PREFIX, venv=True, windows=True) == (PREFIX / "Scripts",)
    assert layout.python(PREFIX, venv=False, windows=True) == PREFIX / "python.exe"
    assert layout.python(PREFIX, venv=True, windows=True) == PREFIX / "Scripts" / "python.exe"
    assert layout.site_packages(PREFIX, "3.11", windows=True) == PREFIX / "Lib" / "site-packages"


def test_scripts_lie_in_the_directory_for_scripts():
    assert layout.scripts(PREFIX, windows=False) == PREFIX / "bin"
    assert layout.scripts(PREFIX, windows=True) == PREFIX / "Scripts"


def test_a_venv_is_known_by_its_configuration(tmp_path: Path):
    assert not layout.is_venv(tmp_path)
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert layout.is_venv(tmp_path)
