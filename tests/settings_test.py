from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.platforms import PLATFORMS
from envtag.settings import EnvironmentSettings, RegistrySettings, parse_cutoff
from support.attempt import attempt
from support.damage import as_bytes, damaged

FULL = EnvironmentSettings(
    spec=("environment.yml", "more/requirements.txt"),
    python=">=3.11,<3.12",
    interpreter="conda",
    platforms=("linux-64", "osx-arm64", "linux-64-cuda12"),
    channels=("conda-forge", "https://channels.example.org/team"),
    index_url="https://index.example.org/simple",
    extra_index_urls=("https://extra.example.org/simple",),
    exclude_newer="2026-11-20T00:00:00Z",
    base="mlp/team/base:v5",
    virtual_packages={"linux-64": {"__cuda": "12.0", "__glibc": ""}, "osx-arm64": {"__osx": "12.0"}},
    extras=("gpu",),
    groups=("test", "Lint_Tools"),
    variants={"linux-64-cuda12": ("cuda.txt", "cuda.yml")},
)
FULL_TEXT = """\
version: 1
spec: [environment.yml, more/requirements.txt]
python: '>=3.11,<3.12'
interpreter: conda
platforms: [linux-64, osx-arm64, linux-64-cuda12]
channels: [conda-forge, https://channels.example.org/team]
index-url: https://index.example.org/simple
extra-index-urls: [https://extra.example.org/simple]
exclude-newer: '2026-11-20T00:00:00Z'
base: mlp/team/base:v5
extras: [gpu]
groups: [test, Lint_Tools]
virtual-packages:
  linux-64: {__cuda: '12.0', __glibc: ''}
  osx-arm64: {__osx: '12.0'}
variants:
  linux-64-cuda12: [cuda.txt, cuda.yml]
"""
SMALL = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"

words = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True).filter(lambda text: not text.endswith("."))
settings = st.builds(
    EnvironmentSettings,
    spec=st.lists(st.from_regex(r"[A-Za-z0-9 ,'#!&_-]{1,12}\.txt", fullmatch=True), unique=True, max_size=3).map(tuple),
    python=st.sampled_from(["", "3.10", "==3.11.*", ">=3.8,<3.9", "null", "yes"]),
    interpreter=st.sampled_from(["", "conda", "uv"]),
    platforms=st.lists(st.sampled_from(PLATFORMS), min_size=1, unique=True).map(tuple),
    channels=st.lists(words, unique=True, max_size=3).map(tuple),
    index_url=st.sampled_from(["", "https://index.example.org/a%20b?x=1"]),
    exclude_newer=st.sampled_from(["", "2026-11-20T00:00:00Z"]),
    virtual_packages=st.dictionaries(
        st.sampled_from(PLATFORMS),
        st.dictionaries(
            st.sampled_from(["__cuda", "__glibc"]), st.sampled_from(["", "12", "1.0", "1 x86_64"]), min_size=1
        ),
    ),
)


def test_bytes_are_one_key_a_line_in_one_order():
    assert FULL.to_bytes().decode() == FULL_TEXT
    small = EnvironmentSettings(spec=("requirements.txt",), platforms=("linux-64",))
    assert small.to_bytes().decode() == SMALL


@given(settings)
def test_parse_is_the_inverse_of_to_bytes(found: EnvironmentSettings):
    assert EnvironmentSettings.parse(found.to_bytes(), "envtag.yml") == found


def test_what_a_person_writes_is_read_as_meant():
    text = """\
# by hand
version: 1
spec: requirements.txt      # one file needs no list
python: 3.10                # not the number 3.1
platforms:
- linux-64
exclude-newer: 2026-11-20   # a date to YAML
virtual-packages: {linux-64: {__cuda: 12.0}}
"""
    found = EnvironmentSettings.parse(text.encode(), "envtag.yml")
    assert found == EnvironmentSettings(
        spec=("requirements.txt",),
        python="3.10",
        platforms=("linux-64",),
        exclude_newer="2026-11-20T00:00:00Z",
        virtual_packages={"linux-64": {"__cuda": "12.0"}},
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 2\nnew: 1\n", "envtag.yml:1: format version `2`"),
        ("spec: [a.txt]\n", "has no `version`"),
        (SMALL + "pyhton: '3.11'\n", "envtag.yml:4: unknown key `pyhton`"),
        (SMALL + "python: [3.11]\n", "envtag.yml:4: `python` is a list"),
        (SMALL + "python: yes\n", "envtag.yml:4: `python` is `true`"),
        (SMALL + "channels:\n", "envtag.yml:4: `channels` is empty"),
        (SMALL + "channels: [{a: b}]\n", "envtag.yml:4: `channels` holds a mapping"),
        (SMALL + "channels: [conda-forge, conda-forge]\n", "names `conda-forge` twice"),
        (SMALL + "channels: ['https://me:secret@channels.example.org']\n", "envtag.yml:4: `channels`:"),
        (SMALL + "index-url: not-a-url\n", "envtag.yml:4: `index-url`:"),
        (SMALL + "interpreter: pyenv\n", "envtag.yml:4: `interpreter`: `pyenv`"),
        (SMALL + "exclude-newer: soon\n", "envtag.yml:4: `exclude-newer`: `soon` is not a date"),
        (SMALL + "base: Mlp/Base\n", "envtag.yml:4: `base`:"),
        (SMALL + "virtual-packages: {linux-63: {__cuda: '12'}}\n", "`linux-63`"),
        (SMALL + "virtual-packages:\n  linux-64:\n    cuda: '12'\n", "envtag.yml:6: `cuda` is not a virtual package"),
        (SMALL + "virtual-packages: [a]\n", "`virtual-packages` is a list"),
        ("version: 1\nplatforms: [linux-64]\n", "has no `spec`"),
        ("version: 1\nspec: [a.txt]\n", "names no platform"),
        ("version: 1\nspec: [a.txt]\nplatforms: [linux-65]\n", "envtag.yml:3: `platforms`: `linux-65`"),
        ("version: 1\nspec: [../a.txt]\nplatforms: [linux-64]\n", "envtag.yml:2: `spec`: `../a.txt` is not a file"),
        ("version: 1\nspec: [/etc/passwd]\nplatforms: [linux-64]\n", "`/etc/passwd` is not a file"),
        ("version: 1\nspec: ['a\\b.txt']\nplatforms: [linux-64]\n", "is not a file"),
        ("version: 1\nspec: [tags.yml]\nplatforms: [linux-64]\n", "`tags.yml` is a file that envtag writes"),
        ("version: 1\nspec: [linux-64-lock.yml]\nplatforms: [linux-64]\n", "a file that envtag writes"),
        ("- a\n", "not a mapping"),
        (SMALL + "variants:\n  linux-64: a.txt\n", "envtag.yml:5: `linux-64`: `linux-64` is a platform, and a"),
        (SMALL + "variants:\n  linux-64-cpu: a.txt\n", "envtag.yml:5: `platforms` is without `linux-64-cpu`"),
        (
            SMALL.replace("64]", "64-cpu]") + "variants:\n  linux-64-cpu: [requirements.txt]\n",
            "of all platforms by `spec`",
        ),
        (SMALL + "variants: {linux-64-CPU: a.txt}\n", "`linux-64-CPU` is not a variant of `linux-64`"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_key(text: str, said: str):
    with pytest.raises(FatalError) as caught:
        EnvironmentSettings.parse(text.encode(), "envtag.yml")
    assert said in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_misspelt_key_is_told_what_was_meant():
    with pytest.raises(FatalError) as caught:
        EnvironmentSettings.parse((SMALL + "pyhton: '3.11'\n").encode(), "envtag.yml")
    assert caught.value.hint == "did you mean `python`?"


def test_a_registry_has_defaults_without_its_table():
    assert RegistrySettings.parse("[project]\nname = 'x'\n", "pyproject.toml") == RegistrySettings()
    assert RegistrySettings.parse("", "pyproject.toml") == RegistrySettings()


def test_every_key_of_a_registry_is_read():
    text = """
[tool.envtag]
store = "s3://bucket/prefix/"
channels = ["conda-forge"]
interpreter = "uv"
platforms = ["linux-64", "win-64"]
python = ">=3.11"
virtual-packages.linux-64.__cuda = "12.0"
[tool.envtag.policy]
max-size = 5
[tool.envtag.namespaces.scratch]
open = true
"""
    assert RegistrySettings.parse(text, "pyproject.toml") == RegistrySettings(
        store="s3://bucket/prefix",
        channels=("conda-forge",),
        interpreter="uv",
        platforms=("linux-64", "win-64"),
        python=">=3.11",
        virtual_packages={"linux-64": {"__cuda": "12.0"}},
        policy={"max-size": 5},
        open_namespaces=("scratch",),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.envtag]\nstroe = 'x'\n", "pyproject.toml [tool.envtag]: unknown key `stroe`"),
        ("[tool.envtag]\nplatforms = ['beos']\n", "`platforms`: `beos`"),
        ("[tool.envtag]\npython = 3.10\n", "`python` is `3.1`"),
        ("[tool.envtag]\nrequire-signed = 'yes'\n", "`require-signed` is neither `true` nor `false`"),
        ("[tool.envtag]\npolicy = 'strict'\n", "`policy` is `strict`, and a mapping is expected"),
        ("[tool.envtag]\nstore = 'bucket'\n", "`store`: the store `bucket` is not an absolute URL"),
        ("[tool]\nenvtag = 5\n", "`tool.envtag` is not a table"),
        ("[tool.envtag", "pyproject.toml: not TOML"),
    ],
)
def test_a_mistake_in_a_registry_is_named(text: str, said: str):
    with pytest.raises(FatalError) as caught:
        RegistrySettings.parse(text, "pyproject.toml")
    assert said in caught.value.message


def test_the_cutoff_of_the_command_line_is_the_one_of_the_settings():
    assert parse_cutoff("2026-11-20") == "2026-11-20T00:00:00Z"


def test_machines_are_named_by_platform():
    text = '[tool.envtag.runners]\nosx-arm64 = "our-mac"\n'
    assert RegistrySettings.parse(text, "pyproject.toml").runners == {"osx-arm64": "our-mac"}
    for wrong in ('amiga = "x"', 'osx-64 = "a b"', 'osx-64 = ""', 'osx-64 = "${{ secrets.X }}"', "osx-64 = 1"):
        with pytest.raises(FatalError, match=r"runners|platform|osx-64"):
            RegistrySettings.parse(f"[tool.envtag.runners]\n{wrong}\n", "pyproject.toml")


def test_a_registry_has_an_index_without_a_credential():
    text = '[tool.envtag]\nindex-url = "https://{}index.example.org/simple"\n'
    assert RegistrySettings.parse(text.format(""), "x").index_url == "https://index.example.org/simple"
    with pytest.raises(FatalError, match="`index-url`"):
        RegistrySettings.parse(text.format("user:hunter2@"), "x")


def test_signatures_are_required_where_that_is_said():
    assert RegistrySettings.parse("[tool.envtag]\n", "x").require_signed is False
    assert RegistrySettings.parse("[tool.envtag]\nrequire-signed = true\n", "x").require_signed is True


@hypothesis_settings(max_examples=150, deadline=None, database=None)
@given(damaged([FULL_TEXT, SMALL]))
def test_a_damaged_one_is_read_or_refused_in_one_line(text: str):
    _, error = attempt(EnvironmentSettings.parse, as_bytes(text), "envtag.yml")
    if error is not None:
        assert error.message.startswith("envtag.yml")
        assert "\n" not in error.message


REGISTRY_TEXT = """\
[tool.envtag]
store = "s3://bucket/prefix"
channels = ["conda-forge"]
platforms = ["linux-64"]
require-signed = true

[tool.envtag.virtual-packages]
linux-64 = {__cuda = "12"}

[tool.envtag.policy]
deny-packages = ["left-pad"]
"""


@hypothesis_settings(max_examples=100, deadline=None, database=None)
@given(damaged([REGISTRY_TEXT]))
def test_a_damaged_registry_is_read_or_refused_in_one_line(text: str):
    _, error = attempt(RegistrySettings.parse, text, "pyproject.toml")
    if error is not None:
        assert error.message.startswith("pyproject.toml")
        assert "\n" not in error.message
