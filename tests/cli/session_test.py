from __future__ import annotations

import pytest

from envtag.cli.session import Session
from envtag.errors import FatalError, UnreachableError
from support.repository import GitRepo

PROJECT = '[tool.envtag]\nstore = "file:///srv/of-the-registry"\n'
SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


@pytest.fixture
def registries(tmp_path):
    """Two registries, each with an environment named after it."""
    made = {}
    for name in ("here", "there"):
        repo = GitRepo.create(tmp_path / name)
        files = {"pyproject.toml": PROJECT, f"envs/{name}/x/envtag.yml": SETTINGS, "docs/a.md": "a\n"}
        repo.commit(dict(files))
        made[name] = repo
    return made


@pytest.fixture
def in_here(registries, monkeypatch):
    monkeypatch.chdir(registries["here"].path / "docs")


def names(session: Session) -> list[str]:
    with session.registry as registry:
        return registry.names()


def config_file(home, text: str) -> None:
    path = home / "envtag" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_registry_is_the_one_that_the_working_directory_is_in(in_here):
    assert names(Session()) == ["here/x"]


def test_the_config_file_goes_before_the_working_directory(in_here, registries, home):
    config_file(home, f'registry = "{registries["there"].path}"\n')
    assert names(Session()) == ["there/x"]


def test_the_variable_goes_before_the_config_file(in_here, registries, home, monkeypatch):
    config_file(home, 'registry = "/nowhere"\n')
    monkeypatch.setenv("ENVTAG_REGISTRY", str(registries["there"].path))
    assert names(Session()) == ["there/x"]


def test_the_option_goes_before_the_variable_and_is_relative_to_here(in_here, monkeypatch):
    monkeypatch.setenv("ENVTAG_REGISTRY", "/nowhere")
    assert names(Session(where="../../there")) == ["there/x"]


def test_a_url_is_a_registry_too(in_here, registries):
    assert names(Session(where=registries["there"].url)) == ["there/x"]


def test_no_registry_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FatalError, match="is in no registry") as raised:
        _ = Session().registry
    assert "envtag init" in raised.value.hint


def test_offline_reaches_the_registry(in_here):
    session = Session()
    session.offline = True
    with session.registry as registry:
        assert registry.offline


def test_the_store_is_the_variables_the_files_the_registrys_or_ones_own(in_here, registries, home, monkeypatch):
    def store() -> str:
        session = Session()
        with session.registry:
            return session.store.url

    assert store() == "file:///srv/of-the-registry"
    config_file(home, 'store = "file:///srv/of-the-file"\n')
    assert store() == "file:///srv/of-the-file"
    monkeypatch.setenv("ENVTAG_STORE", "file:///srv/of-the-variable")
    assert store() == "file:///srv/of-the-variable"
    monkeypatch.delenv("ENVTAG_STORE")
    config_file(home, "")
    registries["here"].write({"pyproject.toml": "[tool.envtag]\n"})
    assert store() == (home / "envtag" / "store").as_uri()


def test_a_config_file_that_is_malformed_is_refused(in_here, home):
    config_file(home, "colour = 1\n")
    with pytest.raises(FatalError, match="unknown key `colour`"):
        _ = Session().config


def test_quiet_reaches_the_output():
    assert Session(quiet=True).output.quiet
    assert not Session().output.quiet


def test_everything_is_made_once(in_here):
    session = Session()
    with session.registry:
        assert session.registry is session.registry
        assert session.config is session.config
        assert session.store is session.store
        assert session.output is session.output


def test_find_substitutes_the_processes_variables(in_here, monkeypatch):
    monkeypatch.setenv("WHICH", "here")
    session = Session()
    with session.registry:
        assert session.find("@{WHICH}/x").environment.name == "here/x"
        with pytest.raises(FatalError, match="UNSET"):
            session.find("@{UNSET}/x")


def test_only_a_registry_out_of_reach_is_replaced_by_a_store(in_here, monkeypatch, tmp_path):
    monkeypatch.setenv("ENVTAG_STORE", (tmp_path / "store").as_uri())
    session = Session()

    def fail(error: FatalError):
        raise error

    def read(error: FatalError) -> str:
        return session.read(lambda: fail(error), lambda store, why: f"{why.message} {store.url}")

    with session.registry:
        assert read(UnreachableError("away")) == f"away {session.store.url}"
        with pytest.raises(FatalError, match="wrong"):
            read(FatalError("wrong"))
        monkeypatch.setenv("PATH", str(tmp_path))
        assert read(FatalError("`git` is not installed")) == f"`git` is not installed {session.store.url}"


def test_without_a_store_the_first_reason_is_told_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FatalError, match="is in no registry") as raised:
        Session().find("mlp/base:v1")
    assert "envtag init" in raised.value.hint
    assert "`ENVTAG_STORE`" in raised.value.hint


def test_a_store_that_is_malformed_is_told_and_not_the_registry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVTAG_STORE", "ftp://host/x")
    with pytest.raises(FatalError, match="`ftp` is not a kind of store"):
        Session().find("mlp/base:v1")


def test_the_registrys_own_store_is_read_where_its_settings_are_here(in_here, registries, tmp_path):
    registries["here"].write({"pyproject.toml": f'[tool.envtag]\nstore = "{(tmp_path / "own").as_uri()}"\n'})
    session = Session()
    with session.registry:
        found = session.read(_away, lambda store, _: store.url)
    assert found == (tmp_path / "own").as_uri()


def _away() -> str:
    raise UnreachableError("away")
