from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing.pixi import read, recognizes
from support.foreign import CHOICE, refusal, source
from support.locks import FLASK, NUMPY

HEAD = """\
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    indexes:
    - https://index.example.org/simple
    packages:
      {platform}:
      - conda: {numpy.url}
      - conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.11.7-h_0.conda
      - pypi: {flask.url}
      - pypi: ./
      - pypi: git+https://host.example.org/gitty.git?rev=main&subdirectory=py#{commit}
  test:
    channels:
    - url: https://user:hunter2@channels.example.org/t/tk-1/team/
    packages:
      {platform}:
      - conda: {numpy.url}
packages:
"""
CONDA = """\
- conda: {numpy.url}
  sha256: {numpy.sha256}
  md5: {numpy.md5}
  depends:
  - python >=3.11,<3.12.0a0
  license: BSD-3-Clause
  size: 8065890
  timestamp: 1707225421156
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.11.7-h_0.conda
  md5: {numpy.md5}
"""
PYPI = """\
- pypi: {flask.url}
  name: Flask
  version: 3.0.0
  sha256: {flask.sha256}
  requires_dist:
  - gitty>=0.1 ; sys_platform == 'linux'
  - colorama ; sys_platform == 'win32'
  - numpy
  requires_python: '>=3.8'
- pypi: ./
  name: project
  version: 0.1.0
  editable: true
- pypi: git+https://host.example.org/gitty.git?rev=main&subdirectory=py#{commit}
  name: gitty
  version: 0.1
"""
NUMPY_5 = "- kind: conda\n  name: numpy\n  version: 1.26.4\n  build: {numpy.build}\n  url: {numpy.url}\n"
OLD = (
    (CONDA + PYPI)
    .replace("- conda: {numpy.url}\n", NUMPY_5)
    .replace("- conda: https", "- kind: conda\n  name: python\n  url: https")
    .replace("- pypi: ./", "- kind: pypi\n  path: ./")
    .replace("- pypi: ", "- kind: pypi\n  url: ")
)
SIX = "version: 6\n" + HEAD + CONDA + PYPI


def fill(text: str, platform: str = "linux-64") -> str:
    return text.format(numpy=NUMPY, flask=FLASK, commit="a" * 40, platform=platform)


@pytest.mark.parametrize(
    "text",
    [
        fill("version: 5\n" + HEAD + OLD),
        fill(SIX),
        fill(
            "version: 7\nplatforms:\n- name: gpu\n  subdir: linux-64\n  virtual-packages: ['__cuda=12']\n"
            + HEAD
            + CONDA
            + PYPI,
            "gpu",
        ),
    ],
    ids=["v5", "v6", "v7"],
)
def test_versions_five_to_seven_say_the_same(text):
    found = read(source("pixi.lock", text), CHOICE)
    numpy, python, flask, gitty = (entry.package for entry in found.entries["linux-64"])
    assert numpy == NUMPY._replace(depends=("python >=3.11,<3.12.0a0",))
    assert (python.sha256, python.md5) == ("", NUMPY.md5)
    assert (flask.name, flask.sha256, flask.depends) == ("flask", FLASK.sha256, ("gitty",))
    assert gitty.url == f"git+https://host.example.org/gitty.git@{'a' * 40}#subdirectory=py"
    assert gitty.version == "0.1"
    assert found.channels == ("https://conda.anaconda.org/conda-forge",)
    assert found.index_url == "https://index.example.org/simple"
    assert found.notes == ("left out, since it is the project itself: project",)


def test_an_environment_is_chosen_and_credentials_of_its_channels_are_left_out():
    found = read(source("pixi.lock", fill(SIX)), replace(CHOICE, environment="test"))
    assert [entry.package.name for entry in found.entries["linux-64"]] == ["numpy"]
    assert found.channels == ("https://channels.example.org/team", "https://conda.anaconda.org/conda-forge")
    with pytest.raises(FatalError, match="has no environment `gpu`") as caught:
        read(source("pixi.lock", fill(SIX)), replace(CHOICE, environment="gpu"))
    assert "`default`, `test`" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 6\n", "version: 4\n", "lock version '4' is not one"),
        ("- pypi: ./\n  name", "- pypi: ./x.whl\n  name", r"`packages` says nothing of it"),
        ("  editable: true\n", "", ""),
        (NUMPY.sha256, "xyz", r"pixi.lock: `packages` 1 \(`numpy-1.26.4-.*`\): `xyz`: it is not a sha256"),
        ("  size: 8065890", "  size: big", "`size` is not a whole number"),
        ("- gitty>=0.1 ;", "- gitty>=>0.1 ;", "it is not a requirement"),
        (
            "- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.11.7-h_0.conda\n  md5",
            "- conda_source: x\n  md5",
            "by its archive",
        ),
        ("linux-64:\n      - conda", "win-arm64:\n      - conda", "for no platform that envtag knows"),
    ],
)
def test_each_refusal_names_file_entry_and_reason(old, new, message):
    text = fill(SIX)
    assert old in text
    if not message:
        assert "project" in read(source("pixi.lock", text.replace(old, new)), CHOICE).notes[0]
        return
    with pytest.raises(FatalError, match=message):
        read(source("pixi.lock", text.replace(old, new)), CHOICE)


def test_a_file_of_one_machine_is_refused():
    text = fill(SIX).replace("- pypi: ./", "- pypi: ./dist/x.whl").replace("  editable: true\n", "")
    with pytest.raises(FatalError, match=r"`./dist/x.whl`: it is a file of one machine"):
        read(source("pixi.lock", text), CHOICE)


def test_it_is_recognized_by_its_parts():
    assert recognizes(source("some.lock", fill(SIX)))
    assert not recognizes(source("conda-lock.yml", "version: 1\nmetadata: {}\npackage: []\n"))


@settings(max_examples=50)
@given(st.data())
def test_a_file_with_any_damage_is_read_or_refused_in_one_line(data):
    text = fill(SIX)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.text(alphabet="-: {}[]'\"\n&*ab0", max_size=8)) + text[at + 5 :]
    assert "\n" not in refusal(lambda: read(source("pixi.lock", damaged), CHOICE))
