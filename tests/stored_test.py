from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.cli.entry import run
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.manifests import read_manifest
from envtag.names import Alias
from envtag.prefix.marker import is_whole
from envtag.store import Store, keys, open_store
from envtag.stored import find_stored, stored_replicas
from envtag.trust import known_tag_path
from support.story import HERE, Story, Told

NAME = "mlp/tz"
V1 = Alias(name=NAME, tag="v1")


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages and `stable` on it, `mlp/tz:v2` with one; pushed."""
    for tag, names in (("v1", "prefixed, tzish"), ("v2", "tzish")):
        text = f"channels: [conda-forge]\ndependencies: [{names}]\n"
        story.resolve(f"{NAME}:{tag}", environment=text, options=("--platform", HERE))
        if tag == "v1":
            story.call("alias", f"{NAME}:v1", f"{NAME}:stable")
        story.commit(tag)


@pytest.fixture
def tz(make_story: Callable[..., Story], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A registry that was published to a store in `tmp_path`, which `ENVTAG_STORE` names."""
    story = make_story(published)
    monkeypatch.setenv("ENVTAG_STORE", (tmp_path / "store").as_uri())
    story.call("publish")
    return story


@pytest.fixture
def store(tz: Story, tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def nothing_else(tz: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with the store alone: registry, remote and channel are gone; its home, which is empty."""
    monkeypatch.setenv("ENVTAG_MIRRORS", "")
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "new home"))
    for repo in (tz.repo, tz.bare):
        repo.path.rename(repo.path.with_name(f"{repo.path.name}-gone"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "new home"


@pytest.fixture
def envtag(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run envtag in this process and directory."""

    def call(*arguments: str, check: int = 0) -> Told:
        capsys.readouterr()
        code = run(arguments)
        streams = capsys.readouterr()
        assert code == check, streams.err
        return Told(code=code, out=streams.out, err=streams.err)

    return call


def lock_of(store: Store, tag: str) -> Lock:
    replica = json.loads(store.read(keys.tag_key(Alias(name=NAME, tag=tag))) or b"")
    manifest = read_manifest(store, replica["manifests"][HERE], tag)
    assert manifest is not None
    return manifest.lock


def edit(store: Store, key: str, **changes: object) -> None:
    """Change a replica behind everyone's back."""
    path = store.local_path(key)
    assert path is not None
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def works(path: Path) -> bool:
    said = subprocess.run([path / "bin" / "prefixed"], capture_output=True, text=True, check=True).stdout
    return said == f"{path}/share\n"


@pytest.mark.skipif(os.name == "nt", reason="the test channel's programs are for POSIX")
def test_with_everything_else_gone_a_new_machine_creates_it_from_the_store_alone(
    store: Store, nothing_else: Path, envtag: Callable[..., Told]
):
    told = envtag("create", f"{NAME}:v1", "--offline")
    path = Path(told.out.strip())
    assert works(path)
    assert is_whole(path, lock_of(store, "v1").id)
    why = f"(no registry in reach: `{Path.cwd()}` is in no registry)"
    assert told.err.splitlines() == [f"{NAME}:v1 was read from the replicas in {store.url} {why}"]
    assert path.is_relative_to(nothing_else)
    assert envtag("-q", "create", f"{NAME}:v1").err == ""
    (shown,) = envtag("show", f"{NAME}:v1", "--json").json
    assert envtag("create", f"{NAME}:v1@{shown['digest']}").out == told.out


def test_mutable_tags_say_which_commit_they_are_at(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    for tag, pointer in (("v1", "stable"), ("v2", "latest")):
        shown = envtag("show", f"{NAME}:{pointer}", "--json")
        commit = json.loads(store.read(keys.pointer_key(Alias(name=NAME, tag=pointer))) or b"")["commit"]
        assert shown.json[0]["lock"] == lock_of(store, tag).id
        assert f"{NAME}:{pointer} at commit {commit[:12]} was read from the replicas in" in shown.err


def test_a_full_id_is_found_by_the_record_of_its_request(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    lock = lock_of(store, "v1")
    (shown,) = envtag("show", f"{lock.request}:{lock.id}", "--json").json
    assert (shown["name"], shown["lock"], shown["request"]) == (NAME, lock.id, lock.request)
    assert shown["resolved_by"] == "A Tester"
    told = envtag("show", f"{lock.request}:{'f' * 40}", check=1)
    assert f"there is no replica of `{lock.request}:{'f' * 40}` in {store.url}" in told.err


def test_show_says_what_the_store_knows(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    (shown,) = envtag("show", f"{NAME}:v1", "--json").json
    assert shown["registry"] == store.url
    assert shown["aliases"] == [f"{NAME}:v1"]
    assert [package["name"] for package in shown["packages"]] == ["prefixed", "tzish"]
    assert shown["requested"] == []
    assert "Registry" in envtag("show", f"{NAME}:v1").out


def test_list_lists_the_replicas(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    told = envtag("list", "mlp", "--json")
    assert told.json == [
        {
            "name": NAME,
            "tags": ["v1", "v2"],
            "pointers": {"stable": "v1"},
            "platforms": [HERE],
            "present": [],
            "open_branch": None,
        }
    ]
    assert "was read from the replicas" in told.err
    assert envtag("list", "ml", check=1).out == ""
    assert envtag("list").out.splitlines()[1].startswith(NAME)


@pytest.mark.parametrize("registry", ["url", "path"])
def test_a_registry_that_cannot_be_reached_is_told_and_the_store_answers(
    tz: Story, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, envtag: Callable[..., Told], registry: str
):
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "new home"))
    tz.bare.path.rename(tmp_path / "gone")
    if registry == "path":  # a work tree whose remote is gone and that never fetched the tag
        tz.repo.git("tag", "--delete", f"{NAME}@v1")
    where = tz.bare.url if registry == "url" else str(tz.path)
    told = envtag("--registry", where, "show", f"{NAME}:v1", "--json")
    assert told.json[0]["registry"] == store.url
    assert "no registry in reach: " in told.err
    assert "origin" in told.err
    told = envtag("--registry", where, "show", f"{NAME}:v9", check=1)
    assert f"no replica of `{NAME}:v9` in {store.url}" in told.err


def test_offline_a_tag_that_is_not_here_of_a_remote_registry_is_the_stores(
    tz: Story, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, envtag: Callable[..., Told]
):
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "new home"))
    told = envtag("--registry", tz.bare.url, "create", f"{NAME}:v1", "--offline")
    assert f"(no registry in reach: `{NAME}:v1` is not in what is here of `{tz.bare.url}`)" in told.err
    assert Path(told.out.strip()).is_dir()


def test_a_machine_without_git_reads_replicas(
    tz: Story, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, envtag: Callable[..., Told]
):
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "new home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for where in (tz.bare.url, str(tz.path)):
        told = envtag("--registry", where, "show", f"{NAME}:v1", "--json")
        assert told.json[0]["registry"] == store.url
        assert "no registry in reach: `git` is not installed" in told.err


def test_without_registry_and_store_it_is_said_that_a_store_would_do(
    nothing_else: Path, monkeypatch: pytest.MonkeyPatch, envtag: Callable[..., Told]
):
    monkeypatch.delenv("ENVTAG_STORE")
    told = envtag("show", f"{NAME}:v1", check=1)
    assert "is in no registry" in told.err
    assert "`ENVTAG_STORE`" in told.err


def test_a_replica_of_another_environment_is_refused_with_both_names(
    store: Store, nothing_else: Path, envtag: Callable[..., Told]
):
    edit(store, keys.tag_key(V1), name="mlp/evil")
    told = envtag("create", f"{NAME}:v1", check=1)
    assert f"what should be the replica of `{NAME}:v1` is of `mlp/evil:v1`" in told.err
    assert not nothing_else.joinpath("envs").exists()


def test_a_replica_with_another_manifest_than_its_lock_is_refused(
    store: Store, nothing_else: Path, envtag: Callable[..., Told]
):
    other = json.loads(store.read(keys.tag_key(Alias(name=NAME, tag="v2"))) or b"")
    edit(store, keys.tag_key(V1), manifests=other["manifests"])
    told = envtag("create", f"{NAME}:v1", check=1)
    assert f"where its replica says `{lock_of(store, 'v2').request}" not in told.err
    assert lock_of(store, "v2").id in told.err
    store.delete(keys.manifest_key(other["manifests"][HERE]))
    assert "is not there, and it is the manifest of" in envtag("create", f"{NAME}:v1", check=1).err


def test_a_digest_must_be_the_releases(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    wrong = "sha256:" + "0" * 64
    assert f"`{NAME}:v1` is not {wrong}" in envtag("show", f"{NAME}:v1@{wrong}", check=1).err
    assert "only git says" in envtag("show", f"{NAME}:stable@{wrong}", check=1).err


def test_a_tag_that_changes_in_the_store_is_refused(store: Store, nothing_else: Path, envtag: Callable[..., Told]):
    envtag("show", f"{NAME}:v1")
    before = store.read(keys.tag_key(V1)) or b""
    other = json.loads(store.read(keys.tag_key(Alias(name=NAME, tag="v2"))) or b"")
    edit(store, keys.tag_key(V1), locks=other["locks"], manifests=other["manifests"], request=other["request"])
    told = envtag("create", f"{NAME}:v1", check=1)
    assert f"{NAME}:v1 changed on {HERE}: it was lock {json.loads(before)['locks'][HERE]} here" in told.err


def test_what_a_store_said_of_a_tag_is_compared_with_git_and_the_other_way_round(
    tz: Story, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, envtag: Callable[..., Told]
):
    other = json.loads(store.read(keys.tag_key(Alias(name=NAME, tag="v2"))) or b"")
    true = json.loads(store.read(keys.tag_key(V1)) or b"")
    false = {key: other[key] for key in ("locks", "manifests", "request")}
    for home, first, second in (("one", false, {}), ("two", {}, false)):
        monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / home))
        edit(store, keys.tag_key(V1), **{**true, **first})
        gone = tmp_path / "gone"
        if first:  # the store first, and then git, by the registry's address
            tz.bare.path.rename(gone)
            envtag("--registry", tz.bare.url, "show", f"{NAME}:v1")
            gone.rename(tz.bare.path)
            told = envtag("--registry", tz.bare.url, "show", f"{NAME}:v1", check=1)
        else:
            envtag("--registry", str(tz.path), "show", f"{NAME}:v1")
            edit(store, keys.tag_key(V1), **{**true, **second})
            tz.bare.path.rename(gone)
            told = envtag("--registry", tz.bare.url, "show", f"{NAME}:v1", check=1)
            gone.rename(tz.bare.path)
        assert f"{NAME}:v1 changed on {HERE}" in told.err


def test_git_and_a_replica_that_differ_are_an_error_that_names_both_and_nothing_is_made(
    tz: Story, store: Store, envtag: Callable[..., Told]
):
    true = json.loads(store.read(keys.tag_key(V1)) or b"")
    other = json.loads(store.read(keys.tag_key(Alias(name=NAME, tag="v2"))) or b"")
    for what, changes in (
        ("commit", {"commit": "d" * 40}),
        ("request", {"request": "e" * 40}),
        (f"lock for {HERE}", {"locks": other["locks"]}),
        (f"manifest for {HERE}", {"manifests": other["manifests"]}),
    ):
        edit(store, keys.tag_key(V1), **{**true, **changes})
        for reference in (f"{NAME}:v1", f"{NAME}:stable"):
            told = tz.call("create", reference, check=1)
            assert f"`{NAME}:v1` is two things: {what} " in told.err
            assert f"in its replica in {store.url}" in told.err
    assert not tz.config.directories.environments.exists()
    store.delete(keys.tag_key(V1))
    assert tz.call("create", f"{NAME}:v1").code == 0


def test_an_immutable_tag_is_remembered_under_the_stores_url(store: Store, tmp_path: Path):
    found = find_stored(f"{NAME}:@{{TAG}}", store, tmp_path / "memory", {"TAG": "v1"}, ("example.org/registry",))
    assert found is not None
    for identity in (store.url, f"{store.url}/", "example.org/registry"):
        assert known_tag_path(tmp_path / "memory", identity, V1).is_file()
    assert find_stored(f"{NAME}:v9", store, tmp_path / "memory", {}, ()) is None
    with pytest.raises(FatalError, match="is not locked for `win-64`"):
        found.lock_id("win-64")


def test_every_replica_below_a_name_is_read(store: Store):
    assert {str(alias) for alias in stored_replicas(store, "mlp/")} == {
        f"{NAME}:v1", f"{NAME}:v2", f"{NAME}:stable", f"{NAME}:latest",
    }  # fmt: skip
    assert stored_replicas(store, "other") == {}
