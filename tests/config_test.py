from __future__ import annotations

import tempfile
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given, settings

from envtag import config
from envtag.errors import FatalError
from support.attempt import attempt
from support.damage import as_bytes, damaged


def test_without_settings_everything_is_at_its_default(home: Path):
    loaded = config.load({"ENVTAG_HOME": str(home / "here")})
    assert (loaded.registry, loaded.store, loaded.mirrors.pairs) == ("", "", ())
    assert {loaded.sources[key] for key in ("registry", "store", "mirrors")} == {"default"}


def test_one_home_holds_data_and_cache(home: Path):
    directories = config.load({"ENVTAG_HOME": str(home / "here")}).directories
    assert directories.data == home / "here"
    assert directories.environments == home / "here" / "envs"
    assert directories.cache == home / "here" / "cache"
    assert directories.archives.is_relative_to(directories.cache)


def test_a_relative_home_becomes_absolute_and_a_tilde_is_expanded(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(home)
    assert config.load({"ENVTAG_HOME": "here"}).directories.data == Path.cwd() / "here"
    assert config.load({"ENVTAG_HOME": "~/there"}).directories.data == home / "there"


def test_without_a_home_the_users_own_directories_are_used(home: Path, monkeypatch: pytest.MonkeyPatch):
    directories = config.load({}).directories
    assert directories.data.is_relative_to(home)
    assert directories.cache.is_relative_to(home)
    assert not directories.cache.is_relative_to(directories.data)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_DATA_HOME": "/of data", "XDG_CACHE_HOME": "/of-cache/", "XDG_CONFIG_HOME": "/of-config"},
        {"XDG_DATA_HOME": "relative", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "~/config"},
        {"HOME": "/somewhere/else/"},
        {"HOME": "relative"},
    ],
)
def test_the_users_own_directories_are_those_of_platformdirs(
    home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
):
    for name in ("ENVTAG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = config.load().directories
    assert found.data == Path(platformdirs.user_data_dir("envtag", appauthor=False))
    assert found.cache == Path(platformdirs.user_cache_dir("envtag", appauthor=False))
    file = Path(platformdirs.user_config_dir("envtag", appauthor=False)) / "config.toml"
    if file.is_relative_to(home):
        file.parent.mkdir(parents=True)
        file.write_text('store = "file:///a/store"\n', "utf-8")
        assert config.load().store == "file:///a/store"


def test_every_kind_of_content_has_a_directory_of_its_own():
    directories = config.Directories(data=Path("/data"), cache=Path("/cache"))
    names = [name for name in dir(config.Directories) if isinstance(getattr(config.Directories, name), property)]
    assert len({getattr(directories, name) for name in names}) == len(names) >= 10


def test_the_config_file_is_read_and_a_variable_wins_over_it(home: Path):
    file = home / "here" / "config.toml"
    file.parent.mkdir()
    file.write_text('registry = "from-file"\nstore = "file:///from-file"\n')
    loaded = config.load({"ENVTAG_HOME": str(home / "here"), "ENVTAG_STORE": "file:///from-variable"})
    assert (loaded.registry, loaded.store) == ("from-file", "file:///from-variable")
    assert loaded.sources == {
        "registry": str(file),
        "store": "ENVTAG_STORE",
        "mirrors": "default",
        "allowed-signers": "default",
        "conda": "default",
        "data": "ENVTAG_HOME",
        "cache": "ENVTAG_HOME",
    }


def test_an_empty_variable_is_as_none(home: Path):
    file = home / "config.toml"
    file.write_text('registry = "from-file"\n')
    assert config.load({"ENVTAG_CONFIG": str(file), "ENVTAG_REGISTRY": ""}).registry == "from-file"


def test_a_named_config_file_wins_over_the_one_of_the_home(home: Path):
    (home / "config.toml").write_text('registry = "homes"\n')
    named = home / "named.toml"
    named.write_text('registry = "named"\n')
    assert config.load({"ENVTAG_HOME": str(home), "ENVTAG_CONFIG": str(named)}).registry == "named"


def test_mirrors_come_from_file_and_variable_and_the_variable_wins(home: Path):
    file = home / "config.toml"
    file.write_text('[mirrors]\n"https://a.example" = "https://file.example/a"\n"https://b.example" = "file:///b"\n')
    text = "https://a.example=file:///a/ https://a.example/sub=file:///sub"
    mirrors = config.load({"ENVTAG_CONFIG": str(file), "ENVTAG_MIRRORS": text}).mirrors
    assert mirrors.fetch_url("https://a.example/x") == "file:///a/x"
    assert mirrors.fetch_url("https://a.example/sub/x") == "file:///sub/x"
    assert mirrors.fetch_url("https://b.example/x") == "file:///b/x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("registry = 1\n", "`registry` is not text"),
        ("registery = 'x'\n", "unknown key `registery`"),
        ("mirrors = 'x'\n", "`\\[mirrors\\]` is not a table"),
        ("[mirrors]\n'https://a.example' = 1\n", "`\\[mirrors\\]` is not a table"),
        ("[mirrors]\n'conda-forge' = 'file:///x'\n", "is not an absolute URL"),
        ("registry =\n", "not TOML: .*line 1"),
    ],
)
def test_a_malformed_config_file_is_refused_by_name(home: Path, text: str, message: str):
    file = home / "config.toml"
    file.write_text(text)
    with pytest.raises(FatalError, match=message):
        config.load({"ENVTAG_CONFIG": str(file)})


def test_an_unknown_key_is_refused_with_those_that_are_known(home: Path):
    file = home / "config.toml"
    file.write_text("a = 1\n")
    with pytest.raises(FatalError) as caught:
        config.load({"ENVTAG_CONFIG": str(file)})
    assert caught.value.message.startswith(f"{file}: ")
    assert caught.value.hint == "one of allowed-signers, conda, mirrors, registry, store"


def test_a_config_file_that_cannot_be_read_is_named(home: Path):
    (home / "config.toml").mkdir()
    with pytest.raises(FatalError, match=r"config\.toml: cannot be read"):
        config.load({"ENVTAG_HOME": str(home)})


def test_a_mirror_that_is_no_pair_is_refused():
    with pytest.raises(FatalError, match="`nonsense` in ENVTAG_MIRRORS"):
        config.load({"ENVTAG_HOME": "/nowhere", "ENVTAG_MIRRORS": "nonsense"})


def test_the_processes_own_variables_are_used_by_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ENVTAG_REGISTRY", "mine")
    assert config.load().registry == "mine"


GOOD = """\
registry = "https://github.com/acme/environments"
store = "s3://bucket"
[mirrors]
"https://a.example" = "https://b.example/x"
"""


@settings(max_examples=100, deadline=None, database=None)
@given(damaged([GOOD]))
def test_a_damaged_file_is_read_or_refused_in_one_line(text: str):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "config.toml")
        path.write_bytes(as_bytes(text))
        _, error = attempt(config.load, {"ENVTAG_CONFIG": str(path), "ENVTAG_HOME": place})
    if error is not None:
        assert "\n" not in error.message
        assert error.message.startswith((str(path), "the mirror", "the URL of mirror", "`"))


@settings(max_examples=100, deadline=None, database=None)
@given(damaged(["https://a.example=https://b.example/x https://c.example=file:///d"]))
def test_damaged_mirrors_are_read_or_refused_in_one_line(text: str):
    _, error = attempt(config.load, {"ENVTAG_HOME": "/nowhere", "ENVTAG_MIRRORS": text})
    assert error is None or "\n" not in error.message
