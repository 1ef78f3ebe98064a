from __future__ import annotations

from envtag.lock import Lock, write
from envtag.lock_merge import Pins
from envtag.merging import is_settled, unmerged_pins
from envtag.merging.unmerged import NOT_MERGED
from envtag.package import Package
from envtag.registry import Registry

DIRECTORY = "envs/a"
SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


def package(name: str) -> Package:
    return Package(manager="pypi", name=name, version="1", url=f"https://h/{name}-1-py3-none-any.whl", sha256="a" * 64)


def lock(*names: str) -> bytes:
    packages = tuple(package(name) for name in names)
    fields = {"platform": "linux-64", "request": "b" * 40, "interpreter": "uv", "content_hash": "c" * 64}
    return write(Lock(**fields, python="3.11", packages=packages, sources=("requirements.txt",)))


def conflict(repo, path: str, *contents: bytes | None) -> None:
    """Put versions of a path into the index as base, ours and theirs."""
    lines = []
    for stage, content in enumerate(contents, start=1):
        if content is not None:
            blob = repo.git("hash-object", "-w", "--stdin", stdin=content)
            lines.append(f"100644 {blob} {stage}\t{path}\n")
    repo.git("update-index", "--index-info", stdin="".join(lines).encode())


def test_pins_come_from_the_three_versions_in_the_index(git_repo):
    repo = git_repo()
    conflict(repo, f"{DIRECTORY}/linux-64-lock.yml", lock("x"), lock("x", "y"), lock("x"))
    with Registry(_git(repo), location="", worktree=repo.path) as registry:
        assert unmerged_pins(registry.git) == {
            "a": {"linux-64": Pins(kept=(package("x"),), preferred=(package("y"),), python="3.11")}
        }


def test_without_a_conflict_there_is_nothing(git_repo):
    repo = git_repo()
    repo.commit({f"{DIRECTORY}/linux-64-lock.yml": lock("x")})
    conflict(repo, f"{DIRECTORY}/envtag.yml", b"1", b"2", b"3")
    conflict(repo, f"{DIRECTORY}/amiga-lock.yml", lock("x"), lock("y"), lock("z"))
    assert unmerged_pins(_git(repo)) == {}


def test_each_conflict_is_of_its_own_environment(git_repo):
    repo = git_repo()
    for name in ("a", "a/b"):
        conflict(repo, f"envs/{name}/linux-64-lock.yml", lock("x"), lock("x"), lock("x"))
    conflict(repo, "linux-64-lock.yml", lock("x"), lock("y"), lock("z"))
    assert set(unmerged_pins(_git(repo))) == {"a", "a/b"}


def test_a_side_that_is_missing_or_no_lock_pins_nothing(git_repo):
    repo = git_repo()
    conflict(repo, f"{DIRECTORY}/linux-64-lock.yml", lock("x"), None, lock("x"))
    conflict(repo, f"{DIRECTORY}/win-64-lock.yml", lock("x"), b"<<<<<<< ours\n", lock("x"))
    assert unmerged_pins(_git(repo)) == {"a": {"linux-64": Pins(), "win-64": Pins()}}


def test_only_a_whole_lock_that_is_meant_as_an_answer_settles_a_conflict(git_repo):
    repo = git_repo()
    for content, expected in (
        (lock("x"), True),
        (NOT_MERGED + b"\n" + lock("x").partition(b"\n")[2], False),
        (b"<<<<<<< ours\n" + lock("x"), False),
    ):
        repo.write({f"{DIRECTORY}/envtag.yml": SETTINGS, f"{DIRECTORY}/linux-64-lock.yml": content})
        with Registry(_git(repo), location="", worktree=repo.path) as registry:
            assert is_settled(registry.environment("a"), "linux-64") == expected


def _git(repo):
    from envtag.git import Git

    return Git(repo.path)
