from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envtag.errors import FatalError
from envtag.registry.address import Address, parse_address
from envtag.registry.remote import HEAD_REF, Clone

if TYPE_CHECKING:
    from conftest import Sample


@pytest.fixture
def sample(make_sample: Callable[..., Sample]) -> Sample:
    """Three environments, on a server that filters."""
    return make_sample("mlp/base", "mlp/other", "mlp/third")


def _clone(sample, tmp_path: Path) -> Clone:
    return Clone(parse_address(sample.bare.url), tmp_path / "clones")


def _missing(clone: Clone, name: str) -> int:
    listed = clone.git.run("rev-list", "--objects", "--missing=print", name, check="list").text()
    return sum(line.startswith("?") for line in listed.splitlines())


def test_making_a_clone_fetches_nothing(sample, tmp_path: Path):
    clone = _clone(sample, tmp_path)
    assert clone.git.commit_of(HEAD_REF) is None
    assert clone.path.parent == tmp_path / "clones"
    assert clone.path.name.startswith("bare-")
    assert [path.name for path in clone.path.parent.iterdir() if path.name.endswith(".tmp")] == []


def test_only_what_is_asked_for_is_fetched(sample, tmp_path: Path):
    clone = _clone(sample, tmp_path)
    head = clone.fetch_head()
    assert head == sample.repo.git("rev-parse", "HEAD")
    assert clone.git.run("rev-list", "--count", HEAD_REF).text() == "1"
    assert _missing(clone, f"{head}:envs") > 3
    clone.fetch_content(head, "envs/mlp/base")
    assert _missing(clone, f"{head}:envs/mlp/base") == 0
    assert _missing(clone, f"{head}:envs/mlp/other") > 0
    sample.bare.path.rename(tmp_path / "away.git")
    assert clone.git.read(head, "envs/mlp/base/requirements.txt") == b"flask\n"
    clone.fetch_content(head, "envs/mlp/base")
    clone.fetch_content(head, "envs/none")
    with pytest.raises(FatalError, match="cannot be read"):
        clone.fetch_content(head, "envs/mlp/other")
    with pytest.raises(FatalError, match="git cannot read") as caught:
        clone.git.read(head, "envs/mlp/other/linux-64-lock.yml")
    assert "does not appear to be a git repository" in caught.value.detail


def test_a_single_file_is_fetched_when_it_is_read(sample, tmp_path: Path):
    clone = _clone(sample, tmp_path)
    head = clone.fetch_head()
    assert clone.git.read(head, "pyproject.toml") == (sample.repo.path / "pyproject.toml").read_bytes()
    clone.git.close()


def test_a_server_without_filters_serves_too(sample, tmp_path: Path):
    sample.bare.git("config", "uploadpack.allowFilter", "false")
    clone = _clone(sample, tmp_path)
    head = clone.fetch_head()
    assert _missing(clone, f"{head}:envs") == 0
    clone.fetch_content(head, "envs/mlp/base")
    assert clone.git.read(head, "envs/mlp/other/requirements.txt") == b"flask\n"
    clone.git.close()


def test_the_head_is_followed_also_when_it_was_rewritten(sample, tmp_path: Path):
    clone = _clone(sample, tmp_path)
    clone.fetch_head()
    new = sample.add("mlp/new")
    assert clone.fetch_head() == new
    sample.repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
    sample.repo.git("push", "-q", "--force", "origin", "main")
    assert clone.fetch_head() == sample.repo.git("rev-parse", "HEAD")


def test_branches_tags_and_commits_are_fetched_by_name(sample, tmp_path: Path):
    first = sample.repo.git("rev-parse", "HEAD~1")
    sample.repo.git("push", "-q", "origin", f"{first}:refs/heads/topic")
    sample.release("mlp/base", "v1")
    clone = _clone(sample, tmp_path)
    assert clone.fetch_revision("topic") == first
    assert clone.fetch_revision(sample.repo.git("rev-parse", "HEAD~2")) == sample.repo.git("rev-parse", "HEAD~2")
    assert clone.fetch_revision("mlp/base@v1") == sample.repo.git("rev-parse", "HEAD")
    assert clone.fetch_revision("refs/heads/topic") == first
    assert clone.fetch_revision("nothing") is None


def test_a_registry_without_a_commit_says_so(sample, tmp_path: Path):
    empty = type(sample.bare).create(tmp_path / "empty.git", bare=True)
    with pytest.raises(FatalError, match="has no commit yet"):
        Clone(parse_address(empty.url), tmp_path / "clones").fetch_head()


def test_a_registry_that_cannot_be_reached_is_told_with_git_s_words(tmp_path: Path):
    clone = Clone(parse_address((tmp_path / "none.git").as_uri()), tmp_path / "clones")
    with pytest.raises(FatalError, match=r"the registry `file://.*none.git` cannot be read") as caught:
        clone.fetch_head()
    assert "does not appear to be a git repository" in caught.value.detail
    assert "credentials" in caught.value.hint


def _half_made(path: Path) -> None:
    (path / "objects").rename(path / "gone")


def _left_lock(path: Path) -> None:
    (path / "shallow.lock").write_text("")


def _lost_objects(path: Path) -> None:
    for pack in (path / "objects" / "pack").iterdir():
        pack.unlink()


def _cut_short(path: Path) -> None:
    (path / HEAD_REF).write_text("")


@pytest.mark.parametrize("damage", [_half_made, _left_lock, _lost_objects, _cut_short])
def test_a_damaged_clone_is_built_again(sample, tmp_path: Path, damage):
    clone = _clone(sample, tmp_path)
    clone.fetch_head()
    damage(clone.path)
    new = sample.add("mlp/new")
    again = _clone(sample, tmp_path)
    assert again.fetch_head() == new
    assert again.git.read(new, "envs/mlp/new/requirements.txt") == b"flask\n"
    again.git.close()
    assert sorted(path.suffix for path in clone.path.parent.iterdir()) == [".git", ".lock"]


def test_what_a_killed_builder_left_is_swept_up(sample, tmp_path: Path):
    clone = _clone(sample, tmp_path)
    left = clone.path.parent / f".{clone.path.name}.abc.tmp"
    (left / "new").mkdir(parents=True)
    (clone.path / "HEAD").unlink()
    _clone(sample, tmp_path)
    assert not left.exists()


def test_credentials_reach_git_and_nothing_else(sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = "https://me:hunter2@host.invalid/bare.git"
    address = parse_address(url)
    there = Address(
        url=address.url, settings={f"url.{sample.bare.url}.insteadOf": address.url}, secrets=address.secrets
    )
    clone = Clone(there, tmp_path / "clones")
    head = clone.fetch_head()
    clone.fetch_content(head, "envs/mlp/base")
    assert clone.git.read(head, "envs/mlp/other/requirements.txt") == b"flask\n"
    clone.git.close()
    for path in clone.path.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "https")  # to a proxy that nobody is behind
    with pytest.raises(FatalError, match="cannot be read") as caught:
        Clone(address, tmp_path / "others").fetch_head()
    assert "unable to access 'https://" in caught.value.detail
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {caught.value.detail}"


_READER = """
import sys
from pathlib import Path
from envtag.registry.address import parse_address
from envtag.registry.remote import Clone
clone = Clone(parse_address(sys.argv[1]), Path(sys.argv[2]))
head = clone.fetch_head()
clone.fetch_content(head, "envs/mlp/base")
print(head, clone.git.read(head, "envs/mlp/base/requirements.txt"))
clone.git.close()
"""


def test_many_processes_share_one_clone(sample, tmp_path: Path):
    command = [sys.executable, "-c", _READER, sample.bare.url, str(tmp_path / "clones")]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) for _ in range(4)]
    said = {reader.communicate()[0].decode() for reader in readers}
    assert said == {f"{sample.repo.git('rev-parse', 'HEAD')} b'flask\\n'\n"}
