from __future__ import annotations

from envtag.importing.pins import spec_of
from envtag.spec import parse
from support.locks import FLASK, NUMPY, PYTHON

FORGE = "https://conda.anaconda.org/conda-forge"


def test_conda_pins_are_an_environment_yml_with_selectors_where_platforms_differ():
    other = NUMPY._replace(build="py311other_0")
    packages = {"linux-64": [NUMPY, PYTHON, FLASK], "osx-arm64": [other, PYTHON, FLASK]}
    file = spec_of(packages, [], [FORGE], conda=True, origin="conda-lock.yml")
    assert file.data.decode().splitlines()[1:] == [
        "channels:",
        "- conda-forge",
        "dependencies:",
        "- 'numpy ==1.26.4 py311h64a7726_0'  # [linux64]",
        "- 'numpy ==1.26.4 py311other_0'  # [arm64]",
        "- 'python ==3.11.7 hab00c5b_1_cpython'",
        "- pip:",
        "  - flask==3.0.0",
    ]
    spec = parse([file], None)
    assert {(item.name, item.platforms) for item in spec.conda if item.platforms} == {
        ("numpy", frozenset({"linux-64"})),
        ("numpy", frozenset({"osx-arm64"})),
    }
    assert [item.text for item in spec.pypi] == ["flask==3.0.0"]


def test_a_package_of_another_channel_names_it():
    far = NUMPY._replace(url="https://channels.example.org/team/linux-64/numpy-1.26.4-py311h64a7726_0.conda")
    file = spec_of({"linux-64": [far]}, [], [FORGE, "https://channels.example.org/team"], conda=True, origin="x")
    (item,) = parse([file], None).conda
    assert item.channel == "https://channels.example.org/team"


def test_pins_without_conda_are_requirements_with_markers_where_platforms_differ():
    packages = {"linux-64": [FLASK], "win-64": [FLASK._replace(version="3.0.1")]}
    file = spec_of(packages, [], [], conda=False, origin="pylock.toml")
    assert file.name == "requirements.txt"
    assert file.data.decode().splitlines()[1:] == [
        "flask==3.0.0 ; sys_platform == 'linux' and platform_machine == 'x86_64'",
        "flask==3.0.1 ; sys_platform == 'win32'",
    ]
    assert len(parse([file], None).pypi) == 2


def test_what_was_asked_for_by_its_url_is_pinned_by_it():
    commit = FLASK._replace(name="gitty", url="git+https://host.example.org/gitty@" + "a" * 40)
    file = spec_of({"linux-64": [FLASK, commit]}, ["flask"], [], conda=False, origin="x")
    assert [item.text for item in parse([file], None).pypi] == [
        f"flask @ {FLASK.url}",
        f"gitty @ {commit.url}",
    ]
