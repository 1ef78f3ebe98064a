from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from envtag.errors import AliasExistsError, FatalError
from envtag.git import Git
from envtag.names import Alias
from envtag.output import Output
from envtag.record import TagRecord
from envtag.replicas import Replicas, check_agreement, parse_replica, read_replica
from envtag.store import Store, keys, open_store
from support.repository import GitRepo

V1 = Alias(name="mlp/base", tag="v1")
STABLE = Alias(name="mlp/base", tag="stable")
LOCKS, MANIFESTS = {"linux-64": "a" * 40}, {"linux-64": "b" * 64}
RECORD = TagRecord(name="mlp/base", tag="v1", request="c" * 40, locks=LOCKS, manifests=MANIFESTS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo.create(tmp_path / "repo")


@pytest.fixture
def replicas(store: Store, repo: GitRepo) -> Iterator[Replicas]:
    with Git(repo.path) as git:
        yield Replicas(store=store, git=git, output=Output())


def pointed(store: Store) -> str:
    data = store.read(keys.pointer_key(STABLE))
    assert data is not None
    return json.loads(data)["commit"]


def test_a_released_tag_is_replicated_whole_and_again_the_same(replicas: Replicas, store: Store):
    for _ in range(2):
        replicas.release(V1, "d" * 40, RECORD)
    assert json.loads(store.read(keys.tag_key(V1)) or b"") == {
        "version": 1, "name": "mlp/base", "tag": "v1", "commit": "d" * 40, "request": "c" * 40, "locks": LOCKS,
        "manifests": MANIFESTS,
    }  # fmt: skip


def test_a_replica_says_that_its_namespace_is_open_which_it_need_not_be_for_ever(replicas: Replicas, store: Store):
    replicas.release(V1, "d" * 40, RECORD, branch="envtag/open/mlp")
    replicas.release(V1, "d" * 40, RECORD)
    found = read_replica(store, V1)
    assert found is not None
    assert found.branch == "envtag/open/mlp"
    with pytest.raises(AliasExistsError):
        replicas.release(V1, "e" * 40, RECORD, branch="envtag/open/mlp")


@pytest.mark.parametrize("there", [b"{}", b"x" * 5000])
def test_a_replica_with_other_content_of_any_size_stays_and_is_told(replicas: Replicas, store: Store, there: bytes):
    store.swap(keys.tag_key(V1), there, None)
    with pytest.raises(AliasExistsError, match="Alias already exists: `mlp/base:v1` in `file:"):
        replicas.release(V1, "d" * 40, RECORD)
    assert store.read(keys.tag_key(V1)) == there


def test_a_pointer_moves_to_later_commits_only(
    replicas: Replicas, store: Store, repo: GitRepo, capsys: pytest.CaptureFixture[str]
):
    commits = [repo.commit({"file": str(number)}) for number in range(3)]
    for commit, now in ((1, 1), (0, 1), (1, 1), (2, 2), (0, 2)):
        replicas.point(STABLE, commits[commit], LOCKS, MANIFESTS)
        assert pointed(store) == commits[now]
    assert capsys.readouterr().err == ""


def test_a_pointer_at_a_commit_that_is_unknown_here_is_left_with_a_warning(
    replicas: Replicas, store: Store, repo: GitRepo, capsys: pytest.CaptureFixture[str]
):
    replicas.point(STABLE, "e" * 40, LOCKS, MANIFESTS)
    commit = repo.commit({"file": "1"})
    replicas.point(STABLE, commit, LOCKS, MANIFESTS)
    assert pointed(store) == "e" * 40
    assert capsys.readouterr().err == (
        f"warning: `mlp/base:stable` in the store is at commit {'e' * 12}, which is not before {commit[:12]}: left\n"
    )


def test_a_pointer_that_another_publisher_moves_meanwhile_is_looked_at_again(
    replicas: Replicas, store: Store, repo: GitRepo, monkeypatch: pytest.MonkeyPatch
):
    first, second, third = (repo.commit({"file": str(number)}) for number in range(3))
    replicas.point(STABLE, first, LOCKS, MANIFESTS)
    real = type(store).swap
    others = [third]

    def late(self: Store, key: str, data: bytes, expected: str | None) -> bool:
        if others:
            replicas.point(STABLE, others.pop(), LOCKS, MANIFESTS)
        return real(self, key, data, expected)

    monkeypatch.setattr(type(store), "swap", late)
    replicas.point(STABLE, second, LOCKS, MANIFESTS)
    assert pointed(store) == third


@pytest.mark.parametrize(("there", "why"), [(b"{", "not JSON"), (b'{"version":2}', "not a replica of version 1")])
def test_what_is_no_replica_is_an_error_and_stays(
    replicas: Replicas, store: Store, repo: GitRepo, there: bytes, why: str
):
    store.swap(keys.pointer_key(STABLE), there, None)
    with pytest.raises(FatalError, match=rf"pointers/mlp/base@stable\.json: {why}"):
        replicas.point(STABLE, repo.commit({"file": "1"}), LOCKS, MANIFESTS)
    assert store.read(keys.pointer_key(STABLE)) == there


def test_what_was_written_is_read(replicas: Replicas, store: Store, repo: GitRepo):
    assert read_replica(store, V1) is None
    replicas.release(V1, "d" * 40, RECORD)
    replicas.point(STABLE, repo.commit({"file": "1"}), LOCKS, MANIFESTS)
    released, pointed_at = read_replica(store, V1), read_replica(store, STABLE)
    assert released is not None
    assert pointed_at is not None
    assert (released.tag, released.request, pointed_at.tag, pointed_at.request) == ("v1", "c" * 40, "stable", "")
    assert pointed_at.manifests == released.manifests == MANIFESTS
    check_agreement(released, "d" * 40, RECORD, store.url)
    with pytest.raises(FatalError, match=rf"`mlp/base:v1` is two things: commit {'e' * 40} in git, {'d' * 40} in its"):
        check_agreement(released, "e" * 40, RECORD, store.url)


def test_a_replica_under_another_key_is_refused(replicas: Replicas, store: Store):
    replicas.release(V1, "d" * 40, RECORD)
    store.swap(keys.tag_key(Alias(name="mlp/base", tag="v2")), store.read(keys.tag_key(V1)) or b"", None)
    with pytest.raises(FatalError, match="what should be the replica of `mlp/base:v2` is of `mlp/base:v1`"):
        read_replica(store, Alias(name="mlp/base", tag="v2"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": 2}, "not a replica of version 1"),
        ({"extra": 1}, "not a replica: it has"),
        ({"name": 1}, "is no text"),
        ({"request": None}, "is no text"),
        ({"locks": {"linux-64": "a" * 39}}, "`locks` is no table of platforms"),
        ({"manifests": {"linux-64": "B" * 64}}, "`manifests` is no table of platforms"),
        ({"manifests": []}, "`manifests` is no table of platforms"),
        ({"locks": {"win-64": "a" * 40}}, "not of the same platforms"),
    ],
)
def test_a_malformed_replica_is_refused(replicas: Replicas, store: Store, changes: dict[str, object], why: str):
    replicas.release(V1, "d" * 40, RECORD)
    document = {**json.loads(store.read(keys.tag_key(V1)) or b""), **changes}
    with pytest.raises(FatalError, match=why):
        parse_replica(json.dumps(document).encode(), "there")
