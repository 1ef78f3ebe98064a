from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing.pylock import read, recognizes
from support.foreign import CHOICE, refusal, source

WINDOWS = "https://files.example.org/alpha-1.0-cp311-cp311-win_amd64.whl"
LINUX = "https://files.example.org/alpha-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
TEXT = f"""\
lock-version = "1.0"
environments = ["sys_platform == 'linux'", "sys_platform == 'win32'"]
requires-python = ">=3.10"
extras = ["Docs"]
dependency-groups = ["dev", "default"]
default-groups = ["default"]
created-by = "a tool"

[[packages]]
name = "Alpha"
version = "1.0"
requires-python = ">=3.8"
index = "https://index.example.org/simple"
dependencies = [{{ name = "beta" }}]
sdist = {{ url = "https://files.example.org/alpha-1.0.tar.gz", hashes = {{ sha256 = "{"a" * 64}" }} }}
wheels = [
  {{ url = "{WINDOWS}", upload-time = 2024-01-02T03:04:05Z, size = 7, hashes = {{ sha256 = "{"b" * 64}" }} }},
  {{ url = "{LINUX}", hashes = {{ sha256 = "{"c" * 64}", md5 = "x" }} }},
]

[[packages]]
name = "beta"
version = "2.0"
marker = "sys_platform == 'linux'"
wheels = [{{ url = "https://files.example.org/beta-2.0-py3-none-any.whl", hashes = {{}} }}]

[[packages]]
name = "sphinx"
version = "7.0"
marker = "'docs' in extras"
wheels = [{{ url = "https://files.example.org/sphinx-7.0-py3-none-any.whl", hashes = {{ sha256 = "{"d" * 64}" }} }}]

[[packages]]
name = "pytest"
version = "8.0"
marker = "'dev' in dependency_groups"
archive = {{ url = "https://files.example.org/pytest-8.0-py3-none-any.whl", hashes = {{ sha256 = "{"e" * 64}" }} }}

[[packages]]
name = "usual"
marker = "'default' in dependency_groups and python_version >= '3.11'"
wheels = [{{ url = "https://files.example.org/usual-3.0-py3-none-any.whl", hashes = {{ sha256 = "{"f" * 64}" }} }}]

[[packages]]
name = "project"
directory = {{ path = ".", editable = true }}
"""
PY311 = replace(CHOICE, python="3.11")


def names(choice, platform: str = "linux-64", text: str = TEXT) -> list[str]:
    return [entry.package.name for entry in read(source("pylock.toml", text), choice).entries[platform]]


def test_one_file_of_each_package_is_taken_for_each_platform():
    found = read(source("pylock.toml", TEXT), replace(PY311, platforms=("linux-64", "win-64")))
    linux, windows = found.entries["linux-64"][0].package, found.entries["win-64"][0].package
    assert (linux.sha256, windows.sha256) == ("c" * 64, "b" * 64)
    assert (windows.size, windows.timestamp) == (7, 1704164645000)
    assert linux.depends == ("beta",)
    assert found.entries["linux-64"][1].package.sha256 == ""
    assert found.entries["linux-64"][2].package.version == "3.0"
    assert [entry.package.name for entry in found.entries["win-64"]] == ["alpha", "usual"]
    assert found.index_url == "https://index.example.org/simple"
    assert found.python == "3.11"
    assert found.notes == (
        "left out, since it is a directory: project",
        "left out: docs (`--extra` takes it in)",
        "left out: dev (`--group` takes it in)",
    )


def test_extras_and_groups_are_chosen_and_default_groups_are_taken_without_a_choice():
    assert names(PY311) == ["alpha", "beta", "usual"]
    assert names(replace(PY311, extras=("docs",))) == ["alpha", "beta", "sphinx", "usual"]
    assert names(replace(PY311, groups=("dev",))) == ["alpha", "beta", "pytest"]
    (entry,) = [
        item
        for item in read(source("x.toml", TEXT), replace(PY311, groups=("dev",))).entries["linux-64"]
        if item.direct
    ]
    assert entry.package.name == "pytest"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (CHOICE, "does not say which Python it is for"),
        (replace(CHOICE, python="3.9"), "is for Python `>=3.10`, and 3.9 was asked for"),
        (replace(PY311, extras=("tests",)), "has no `tests` among its extras"),
        (replace(PY311, groups=("tests",)), "has no `tests` among its dependency-groups"),
        (replace(PY311, platforms=("osx-64",)), "its `environments` do not have `osx-64`"),
    ],
)
def test_a_choice_that_the_file_does_not_have_is_refused(choice, message):
    with pytest.raises(FatalError, match=message):
        read(source("pylock.toml", TEXT), choice)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('lock-version = "1.0"', 'lock-version = "2.0"', "lock-version '2.0' is not one"),
        ("'docs' in extras", "'docs' inside extras", r"`packages` 3 \(`sphinx`\): .* it is not a marker"),
        ("c" * 64, "xyz", r"`wheels` 2: `hashes`: `xyz`: it is not a sha256"),
        ('url = "https://files.example.org/beta-2.0', 'path = "beta-2.0', "a file of one machine"),
        ("usual-3.0-py3-none-any", "usual-3.0-py2-none-any", "none of its files fits Python 3.11 on `linux-64`"),
        ('name = "Alpha"', 'name = "-"', "it is not the name of a PyPI package"),
    ],
)
def test_each_refusal_names_file_entry_and_reason(old, new, message):
    assert old in TEXT
    with pytest.raises(FatalError, match=message):
        read(source("pylock.toml", TEXT.replace(old, new)), PY311)


@settings(max_examples=40)
@given(st.data())
def test_a_file_with_any_damage_is_read_or_refused_in_one_line(data):
    at = data.draw(st.integers(0, len(TEXT) - 1))
    damaged = TEXT[:at] + data.draw(st.text(alphabet="-= {}[]'\"\n&*ab0", max_size=8)) + TEXT[at + 5 :]
    assert "\n" not in refusal(lambda: read(source("pylock.toml", damaged), PY311))


def test_it_is_recognized_by_its_name_or_version():
    assert recognizes(source("pylock.dev.toml", ""))
    assert recognizes(source("other.toml", TEXT))
    assert not recognizes(source("pyproject.toml", "[project]\n"))
