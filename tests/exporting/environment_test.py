from __future__ import annotations

import pytest

from envtag.exporting import Subject
from envtag.exporting.environment import export
from envtag.spec import SpecFile, parse
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE


def test_versions_and_builds_are_exact_and_our_own_reader_takes_them():
    exported = export(Subject(name="mlp/team/base:v1", locks=(SAMPLE,)))
    assert exported.text.splitlines()[1:] == [
        "name: base",
        "channels:",
        "- conda-forge",
        "- https://channels.example.org/team",
        "dependencies:",
        "- numpy=1.26.4=py311h64a7726_0",
        "- python=3.11.7=hab00c5b_1_cpython",
        "- pip",
        "- pip:",
        "  - flask==3.0.0",
    ]
    assert [note.split()[0] for note in exported.notes] == ["it", "`pip`"]
    spec = parse([SpecFile(name="environment.yml", data=exported.text.encode())], None)
    assert [(item.name, item.version, item.build) for item in spec.conda][:2] == [
        ("numpy", "==1.26.4", NUMPY.build),
        ("python", "==3.11.7", PYTHON.build),
    ]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
def test_conda_lock_reads_it_as_a_spec(tmp_path):
    from conda_lock.src_parser.environment_yaml import parse_environment_file

    path = tmp_path / "environment.yml"
    path.write_text(export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(NUMPY, PYTHON)),))).text)
    found = parse_environment_file(path, platforms=["linux-64"], mapping_url="file:///dev/null")
    assert [(item.name, item.version, item.build) for item in found.dependencies["linux-64"]] == [
        ("numpy", "1.26.4", NUMPY.build),
        ("python", "3.11.7", PYTHON.build),
    ]


def test_a_package_of_another_channel_names_it():
    far = NUMPY._replace(url=NUMPY.url.replace("conda-forge", "team"))
    text = export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(far, PYTHON)),))).text
    assert "- team::numpy=1.26.4=py311h64a7726_0\n" in text
    assert "- pip" not in text


def test_without_conda_python_is_asked_of_conda_forge_and_that_is_told():
    commit = FLASK._replace(name="gitty", url="git+https://host.example.org/gitty@" + "a" * 40)
    pure = SAMPLE._replace(interpreter="uv", python="3.12", packages=(FLASK, commit), channels=())
    exported = export(Subject(name="a:v1", locks=(pure,)))
    assert "- python=3.12\n" in exported.text
    assert f"  - 'gitty @ {commit.url}'\n" in exported.text
    assert any("Python 3.12 will be of `conda-forge`" in note for note in exported.notes)
