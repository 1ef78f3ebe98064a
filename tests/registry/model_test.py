from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envtag import config
from envtag.errors import FatalError, UnreachableError
from envtag.git import Git
from envtag.ledger import Ledger
from envtag.names import Alias
from envtag.record import TagRecord
from envtag.registry import Registry, open_registry

if TYPE_CHECKING:
    from conftest import Sample

V1 = Alias(name="mlp/base", tag="v1")


@pytest.fixture
def sample(request: pytest.FixtureRequest, make_sample: Callable[..., Sample]) -> Sample:
    """One environment; several for the tests that read a registry in three ways."""
    several = ("mlp/team/base", "mlp/team2/base", "data/etl") if "registry" in request.fixturenames else ()
    return make_sample("mlp/base", *several)


@pytest.fixture(params=["worktree", "bare", "remote"])
def registry(request: pytest.FixtureRequest, sample: Sample, tmp_path: Path) -> Iterator[Registry]:
    """The same registry, reached in three ways."""
    where = {"worktree": sample.repo.path, "bare": sample.bare.path, "remote": sample.bare.url}[request.param]
    with open_registry(str(where), tmp_path, config.load()) as found:
        yield found


def _open(sample, tmp_path: Path, *, remote: bool = False, offline: bool = False) -> Registry:
    where = sample.bare.url if remote else str(sample.repo.path)
    return open_registry(where, tmp_path, config.load(), offline=offline)


def test_names_are_listed_by_prefix(registry: Registry):
    assert registry.names() == ["data/etl", "mlp/base", "mlp/team/base", "mlp/team2/base"]
    assert registry.names("mlp/team") == ["mlp/team/base", "mlp/team2/base"]
    assert registry.names("mlp/team/") == ["mlp/team/base"]
    assert registry.names("mlp/base") == ["mlp/base"]
    assert registry.names("nothing/here") == []


def test_an_environment_is_read_wherever_the_registry_is(registry: Registry):
    found = registry.environment("data/etl")
    assert found.platforms == ("linux-64",)
    assert found.lock_bytes("linux-64") == b"lock " + b"e" * 40 + b"\n"
    assert [file.name for file in found.spec_files()] == ["requirements.txt"]
    assert found.revision == ("" if registry.worktree else registry.head())
    assert registry.has("data/etl")
    assert not registry.has("data")
    assert not registry.has("data/none")


def test_settings_are_those_of_the_registry(registry: Registry):
    assert registry.settings.store == "file:///srv/store"


def test_an_unknown_name_is_told_with_what_is_close(registry: Registry):
    with pytest.raises(FatalError, match="has no environment `mlp/tem/base`") as caught:
        registry.environment("mlp/tem/base")
    assert "`mlp/team/base`" in caught.value.hint
    with pytest.raises(FatalError) as caught:
        registry.environment("zzz")
    assert caught.value.hint == "`envtag list` shows what there is"
    for use in (registry.environment, registry.has):
        with pytest.raises(FatalError, match="upper-case"):
            use("Mlp/Base")


def test_a_revision_is_read_without_a_checkout(registry: Registry, sample):
    first = sample.repo.git("rev-parse", "HEAD~2")
    assert registry.environment("mlp/team/base", first).revision == first
    with pytest.raises(FatalError, match=f"has no environment `data/etl` at {first}"):
        registry.environment("data/etl", first)
    assert registry.environment("data/etl", "main").revision == sample.repo.git("rev-parse", "HEAD")
    with pytest.raises(FatalError, match="has no revision `nothing`"):
        registry.environment("data/etl", "nothing")


def test_the_identity_is_that_of_the_remote(registry: Registry, sample):
    assert registry.identity == f"file:{sample.bare.path.resolve()}".removesuffix(".git")


def test_without_a_remote_the_identity_is_the_repository_s(sample, tmp_path: Path):
    sample.repo.git("remote", "remove", "origin")
    sample.repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    expected = f"file:{sample.repo.path.resolve()}"
    for path in (sample.repo.path, tmp_path / "linked"):
        with open_registry(str(path), tmp_path, config.load()) as registry:
            assert registry.identity == expected
            assert registry.remote is None
            assert registry.fetch_default_branch() == sample.repo.git("rev-parse", "HEAD")


def test_the_remote_is_origin_or_the_only_one_or_the_one_that_is_named(sample, tmp_path: Path):
    sample.repo.git("remote", "add", "other", "https://host.invalid/x.git")
    with _open(sample, tmp_path) as registry:
        assert registry.remote == "origin"
    sample.repo.git("remote", "rename", "origin", "upstream")
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="`other`, `upstream`") as caught:
        _ = registry.remote
    assert caught.value.hint == "`git config envtag.remote NAME`"
    sample.repo.git("config", "envtag.remote", "upstream")
    with _open(sample, tmp_path) as registry:
        assert registry.remote == "upstream"
    sample.repo.git("config", "envtag.remote", "gone")
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="`gone`"):
        _ = registry.remote
    sample.repo.git("remote", "remove", "other")
    with _open(sample, tmp_path) as registry:
        assert registry.remote == "upstream"


def test_the_work_tree_is_read_as_it_is(sample, tmp_path: Path):
    sample.repo.write({"envs/mlp/base/linux-64-lock.yml": "edited"})
    with _open(sample, tmp_path) as registry:
        assert registry.environment("mlp/base").lock_bytes("linux-64") == b"edited"
        assert registry.environment("mlp/base", "HEAD").lock_bytes("linux-64") != b"edited"


def test_latest_of_a_remote_is_what_was_pushed_last(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True) as registry:
        assert registry.names() == ["mlp/base"]
    sample.add("mlp/new")
    with _open(sample, tmp_path, remote=True) as registry:
        assert registry.names() == ["mlp/base", "mlp/new"]


def test_latest_of_a_remote_that_is_gone_is_an_error_and_never_a_stale_answer(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True) as registry:
        registry.environment("mlp/base")
    sample.bare.path.rename(tmp_path / "away.git")
    with _open(sample, tmp_path, remote=True) as registry, pytest.raises(FatalError, match="cannot be read"):
        registry.environment("mlp/base")
    with _open(sample, tmp_path, remote=True, offline=True) as registry:
        assert registry.environment("mlp/base").platforms == ("linux-64",)
        assert registry.names() == ["mlp/base"]


def test_offline_without_anything_here_says_so(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True, offline=True) as registry:
        with pytest.raises(FatalError, match="nothing is here of the registry"):
            registry.names()
        with pytest.raises(FatalError, match="`mlp/base:v1` is not in what is here"):
            registry.released(V1)


def test_the_default_branch_of_the_remote_is_fetched_without_touching_the_branches_here(sample, tmp_path: Path):
    other = sample.bare.clone(tmp_path / "other")
    commit = other.commit({"x": "1"})
    other.git("push", "-q", "origin", "main")
    refs = sample.repo.git("for-each-ref", "refs/heads", "refs/remotes")
    with _open(sample, tmp_path) as registry:
        assert registry.fetch_default_branch() == commit
    assert sample.repo.git("for-each-ref", "refs/heads", "refs/remotes") == refs


@pytest.mark.parametrize("remote", [False, True])
def test_a_released_tag_is_fetched_once_and_then_needs_no_network(sample, tmp_path: Path, *, remote: bool):
    commit = sample.add("mlp/base", "v1")
    sha = sample.release("mlp/base", "v1")
    sample.add("mlp/base", "v2", lock="d" * 40)
    for _ in range(2):
        with _open(sample, tmp_path, remote=remote) as registry:
            found = registry.released(V1)
            assert found is not None
            assert (found.tag.sha, found.tag.commit) == (sha, commit)
            assert (found.record.name, found.record.tag) == ("mlp/base", "v1")
            assert found.environment.revision == commit
            assert found.environment.lock_bytes("linux-64") == b"lock " + b"b" * 40 + b"\n"
            assert registry.settings.store == "file:///srv/store"
        if sample.bare.path.exists():
            sample.bare.path.rename(tmp_path / "away.git")


def test_what_is_not_released_is_none(registry: Registry, sample):
    assert registry.released(V1) is None
    assert registry.released(Alias(name="no/such", tag="v1")) is None
    with pytest.raises(FatalError, match="`latest` moves"):
        registry.released(Alias(name="mlp/base"))


def test_only_the_tag_that_is_asked_for_is_fetched(sample, tmp_path: Path):
    sample.add("mlp/base", "v1")
    for tag in ("v1", "v2"):
        sample.release("mlp/base", tag)
    with _open(sample, tmp_path) as registry:
        registry.released(V1)
    assert sample.repo.git("tag", "-l") == "mlp/base@v1"


def _record(**changes) -> str:
    fields = {
        "name": "mlp/base", "tag": "v1", "request": "a" * 40, "locks": {"linux-64": "b" * 40},
        "manifests": {"linux-64": "c" * 64},
    }  # fmt: skip
    return TagRecord(**{**fields, **changes}).message()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("just a tag\n", "holds no record"),
        (_record(name="mlp/other"), "is of `mlp/other:v1`"),
        (_record(request="d" * 40), "of request a"),
        (_record(locks={"linux-64": "d" * 40}), "for linux-64 with b"),
        (_record(tag="v2"), "is of `mlp/base:v2`"),
    ],
)
def test_a_broken_link_between_tag_and_ledger_is_refused(sample, tmp_path: Path, message: str, said: str):
    sample.add("mlp/base", "v1")
    sample.release("mlp/base", "v1", message=message)
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match=said):
        registry.released(V1)


def test_a_tag_on_another_commit_than_the_one_that_released_is_refused(sample, tmp_path: Path):
    sample.add("mlp/base", "v1")
    sample.release("mlp/base", "v1", commit="HEAD~1")
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="does not release `v1`"):
        registry.released(V1)


def test_a_tag_that_was_copied_to_another_name_is_refused(sample, tmp_path: Path):
    sample.add("mlp/base", "v1")
    sha = sample.release("mlp/base", "v1")
    sample.bare.git("update-ref", "refs/tags/mlp/base@v9", sha)
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="was made as `mlp/base@v1`"):
        registry.released(Alias(name="mlp/base", tag="v9"))


def test_a_lightweight_tag_is_refused(sample, tmp_path: Path):
    sample.repo.git("tag", "mlp/base@v1")
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="not an annotated tag"):
        registry.released(V1)


def test_reading_a_large_registry_is_fast(tmp_path: Path, sample):
    stream = ["commit refs/heads/main\ncommitter T <t@t> 0 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"]
    settings = "version: 1\nspec: []\nplatforms: [linux-64]\n"
    stream += [
        f"M 100644 inline envs/g{number % 70}/e{number}/envtag.yml\ndata {len(settings)}\n{settings}\n"
        for number in range(5000)
    ]
    sample.bare.git("fast-import", "--quiet", stdin="".join(stream).encode())
    with open_registry(str(sample.bare.path), tmp_path, config.load()) as registry:
        start = time.perf_counter()
        assert len(registry.names()) == 5001
        assert registry.environment("g1/e71").name == "g1/e71"
        assert time.perf_counter() - start < 3.0


def test_a_ledger_is_part_of_the_environment(sample, tmp_path: Path):
    sample.add("mlp/base", "v1")
    with _open(sample, tmp_path) as registry, Git(sample.repo.path):
        ledger = registry.environment("mlp/base").ledger
    assert isinstance(ledger, Ledger)
    assert [release.tag for release in ledger.releases] == ["v1"]


def test_the_newest_head_of_the_default_branch_that_is_known_here(sample, tmp_path: Path):
    first = sample.repo.git("rev-parse", "HEAD")
    clone = sample.bare.clone(tmp_path / "clone")
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch() == first  # as it was cloned
    second = sample.repo.commit({"x": "y"})
    sample.push()
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch() == first
        assert registry.default_branch(fresh=True) == second
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch() == second
    third = sample.repo.commit({"x": "z"})
    sample.push()
    clone.git("pull", "--quiet")
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch() == third
    clone.git("update-ref", "refs/remotes/origin/HEAD", first)
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch() == second
    sample.bare.path.rename(tmp_path / "gone.git")
    with open_registry(str(clone.path), tmp_path, config.load()) as registry:
        assert registry.default_branch(fresh=True) == second


def test_what_must_be_signed_is_out_of_reach_where_nothing_is_known(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True) as registry:
        with pytest.raises(UnreachableError, match="nothing is here of the default branch"):
            registry.signing_rule()
        sample.bare.path.rename(tmp_path / "gone.git")
        with pytest.raises(UnreachableError, match="cannot be read"):
            registry.signing_rule(fresh=True)
