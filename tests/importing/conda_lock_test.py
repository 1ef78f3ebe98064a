from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing.conda_lock import read, recognizes
from envtag.lock import write
from support.foreign import CHOICE, conda_lock, refusal, source
from support.locks import FLASK, NUMPY, SAMPLE

BOTH = [SAMPLE, SAMPLE._replace(platform="linux-aarch64")]


def test_packages_hashes_and_channels_are_as_they_stand():
    found = read(source("conda-lock.yml", conda_lock(BOTH)), CHOICE)
    assert set(found.entries) == {"linux-64", "linux-aarch64"}
    numpy, python, flask = (entry.package for entry in found.entries["linux-64"])
    assert numpy == NUMPY._replace(size=None, license=None, timestamp=None, depends=numpy.depends)
    assert set(numpy.depends) == set(NUMPY.depends)
    assert flask == FLASK._replace(size=None, timestamp=None)
    assert python.name == "python"
    assert found.channels == SAMPLE.channels
    assert found.entries["linux-64"][0].where == "conda-lock.yml: `package` 1 (`numpy`)"


def test_defaults_are_the_channels_that_packages_are_of():
    text = conda_lock([SAMPLE]).replace("url: conda-forge", "url: defaults")
    assert read(source("x.yml", text), CHOICE).channels == (
        "https://channels.example.org/team",
        "https://conda.anaconda.org/conda-forge",
    )


def test_a_platform_is_chosen():
    found = read(source("conda-lock.yml", conda_lock(BOTH)), replace(CHOICE, platforms=("linux-aarch64",)))
    assert set(found.entries) == {"linux-aarch64"}


def test_a_lock_of_our_own_keeps_what_it_knows_beside_the_packages():
    found = read(source("linux-64-lock.yml", write(SAMPLE)), CHOICE)
    assert {entry.package.size for entry in found.entries["linux-64"]} == {NUMPY.size, FLASK.size, None}
    assert found.entries["linux-64"][0].package.license == NUMPY.license


def test_a_package_of_two_categories_is_one_package():
    text = conda_lock([SAMPLE])
    blocks = text[text.index("- name: flask") :]
    found = read(
        source("x.yml", text + blocks.replace("category: main", "category: dev")),
        replace(CHOICE, categories=("main", "dev")),
    )
    assert len(found.entries["linux-64"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1\n", "version: 2\n", "lock version '2' is not one"),
        ("manager: conda", "manager: npm", r"`package` 1 \(`numpy`\): `npm`: it is not a manager"),
        ("version: 1.26.4", "version: 1.26.5", "of another package or version"),
        (NUMPY.sha256, "abc", r"`package` 1 \(`numpy`\): `hash`: `abc`: it is not a sha256"),
        ("platform: linux-64", "x: y", "`platform` is missing"),
        (NUMPY.url, "/opt/numpy.conda", "a file of one machine"),
        (FLASK.url, "https://files.example.org/other.whl?sig=1", "signed or secret"),
    ],
)
def test_each_refusal_names_file_entry_and_reason(old, new, message):
    text = conda_lock([SAMPLE])
    assert old in text
    with pytest.raises(FatalError, match=f"conda-lock.yml: .*{message}|{message}"):
        read(source("conda-lock.yml", text.replace(old, new, 1)), CHOICE)


def test_two_archives_of_one_name_are_refused():
    text = conda_lock([SAMPLE])
    blocks = text[text.index("- name: flask") :].replace("flask-3.0.0", "flask-3.0.0.post1")
    with pytest.raises(FatalError, match="is there twice with different archives"):
        read(source("x.yml", text + blocks), CHOICE)


def test_virtual_packages_of_old_files_are_passed_over():
    text = conda_lock([SAMPLE]) + (
        "- name: __osx\n  version: '11.0'\n  manager: conda\n  platform: linux-64\n  dependencies: {}\n"
        "  url: ''\n  hash:\n    md5: ''\n  category: main\n  optional: false\n"
    )
    assert len(read(source("x.yml", text), CHOICE).entries["linux-64"]) == 3


def test_it_is_recognized_by_its_parts():
    assert recognizes(source("env.lock.yml", conda_lock([SAMPLE])))
    assert not recognizes(source("pixi.lock", "version: 6\nenvironments: {}\npackages: []\n"))
    assert not recognizes(source("x.txt", conda_lock([SAMPLE])))


@settings(max_examples=60)
@given(st.data())
def test_a_file_with_any_damage_is_read_or_refused_in_one_line(data):
    text = conda_lock([SAMPLE])
    at = data.draw(st.integers(0, len(text) - 1))
    to = data.draw(st.integers(at, min(len(text), at + 40)))
    damaged = text[:at] + data.draw(st.text(alphabet="-: {}[]'\"\n&*ab0", max_size=8)) + text[to:]
    assert "\n" not in refusal(lambda: read(source("conda-lock.yml", damaged), CHOICE))
