from __future__ import annotations

import json
from dataclasses import replace

import pytest

from envtag.errors import FatalError
from envtag.importing.together import conda_pythons, has_conda, minor_python, read_together
from support.foreign import CHOICE, conda_lock, explicit, source
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE

PURE = SAMPLE._replace(packages=(FLASK,))
CONDA = SAMPLE._replace(packages=(NUMPY, PYTHON))


def together(*named, choice=CHOICE):
    return read_together([(source(name, text), kind) for name, text, kind in named], choice)


def test_conda_of_one_file_and_pypi_of_another_are_one_environment():
    found = together(("pure.yml", conda_lock([PURE]), "conda-lock"), ("list.txt", explicit(CONDA), "explicit"))
    assert [entry.package.name for entry in found.entries["linux-64"]] == ["flask", "numpy", "python"]
    assert conda_pythons(found) == {"linux-64": "3.11.7"}
    assert minor_python(found, CHOICE) == ""
    assert has_conda(found)


def test_the_same_package_twice_is_one_and_another_one_is_refused():
    twice = together(("a.yml", conda_lock([CONDA]), "conda-lock"), ("b.yml", conda_lock([CONDA]), "conda-lock"))
    assert len(twice.entries["linux-64"]) == 2
    other = CONDA._replace(packages=(NUMPY._replace(sha256="0" * 64), PYTHON))
    with pytest.raises(FatalError, match=r"b.yml: .*: has numpy .*, and a.yml: .* has numpy"):
        together(("a.yml", conda_lock([CONDA]), "conda-lock"), ("b.yml", conda_lock([other]), "conda-lock"))


def test_packages_of_pypi_need_a_python():
    with pytest.raises(FatalError, match="nothing says which Python"):
        minor_python(together(("a.yml", conda_lock([PURE]), "conda-lock")), CHOICE)
    found = together(("a.yml", conda_lock([PURE]), "conda-lock"))
    assert minor_python(found, replace(CHOICE, python="3.12.4")) == "3.12"
    without = SAMPLE._replace(packages=(NUMPY, FLASK))
    with pytest.raises(FatalError, match=r"flask 3.0.0 needs a Python, and conda brings none for `linux-64`"):
        together(("a.yml", conda_lock([without]), "conda-lock"))


def test_a_platform_that_no_file_is_of_is_refused():
    with pytest.raises(FatalError, match="is not locked for `osx-64`"):
        together(("a.txt", explicit(CONDA), "explicit"), choice=replace(CHOICE, platforms=("osx-64",)))


@pytest.mark.parametrize("version", ["1.0\n-e .", "1.0 ; evil", "", "main"])
def test_a_version_that_is_none_is_refused(version):
    odd = conda_lock([PURE]).replace("version: 3.0.0", f"version: {json.dumps(version)}")
    with pytest.raises(
        FatalError, match=r"it is not a version of `flask`|`version` is missing|`version` is not a text"
    ):
        together(("a.yml", odd, "conda-lock"), choice=replace(CHOICE, python="3.12"))


def test_nothing_at_all_is_refused():
    text = conda_lock([CONDA], category={"numpy": "dev", "python": "dev"})
    with pytest.raises(FatalError, match="there is no package for `linux-64` in what was chosen"):
        together(("a.yml", text, "conda-lock"))
