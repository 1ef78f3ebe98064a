from __future__ import annotations

import pytest

from envtag.lock import write
from support.branches import SPEC, one
from support.story import HERE, MINOR, Story

ENVIRONMENT = "envs/mlp/base/environment.yml"
LOCK = f"envs/mlp/base/{HERE}-lock.yml"


def add(*lines: str) -> dict[str, str]:
    return {ENVIRONMENT: SPEC + "".join(f"- {line}\n" for line in lines)}


def pure(story: Story) -> None:
    """State: `mlp/pure` of PyPI packages, `beta` among them at the older version, as if the newer had come since."""
    story.resolve("mlp/pure", requirements="beta<2\n", options=("--platform", HERE, "--python", MINOR))
    story.commit("mlp/pure")


def family(story: Story) -> None:
    """State: `mlp/base`, and `data/child` that extends what it is now."""
    one(story)
    story.resolve("data/child", requirements="click-like\n", options=("--using", "mlp/base", "--platform", HERE))
    story.commit("data/child")


def old(branches, branch: str) -> None:
    """Amend a branch so that its locks hold `beta` 1.0, as if the newer had come since."""
    branches.repo.git("checkout", "--quiet", "-B", "other", "main")
    branches.change({ENVIRONMENT: SPEC + "- old-beta\n"})
    beta = next(item for item in branches.lock().packages if item.name == "beta")
    branches.repo.git("checkout", "--quiet", branch)
    for platform in (HERE, "osx-arm64"):
        lock = branches.lock(platform=platform)
        packages = tuple(beta if item.name == "beta" else item for item in lock.packages)
        path = LOCK.replace(HERE, platform)
        branches.repo.write({path: write(lock._replace(packages=packages))})
    branches.repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")


def names(lock) -> dict[str, str]:
    return {package.name: package.version for package in lock.packages}


def hold(branches, platform=HERE):
    """Every pin that `ours` and `theirs` both have is in the work tree's lock, the very same."""
    ours, theirs, merged = (branches.lock(platform=platform, revision=name) for name in ("ours", "theirs", ""))
    both = set(ours.packages) & set(theirs.packages)
    assert both
    assert both <= set(merged.packages)


def test_two_branches_that_add_different_packages_merge(branches):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    assert branches.text(ENVIRONMENT) == SPEC + "- numpyish\n- click-like\n"
    for platform in (HERE, "osx-arm64"):
        merged = branches.lock(platform=platform)
        assert {"alpha", "numpyish", "click-like"} <= set(names(merged))
        hold(branches, platform)
    assert branches.story.call("lock", "--check").code == 0
    assert branches.story.status() == ""


def test_what_both_sides_keep_stays_though_newer_is_there(branches):
    old(branches, "main")
    branches.branch("theirs", add("click-like"))
    old(branches, "theirs")
    branches.branch("ours", add("numpyish"))
    old(branches, "ours")
    assert branches.git("merge", "--no-edit", "theirs").code == 0
    assert names(branches.lock())["beta"] == "1.0"
    hold(branches)
    assert branches.story.call("lock", "--check").code == 0


def test_what_one_side_changed_is_taken_from_it(branches):
    branches.branch("theirs", add("click-like"))
    old(branches, "theirs")
    branches.branch("ours", add("numpyish"))
    assert branches.git("merge", "--no-edit", "theirs").code == 0
    assert names(branches.lock())["beta"] == "1.0"


@pytest.mark.parametrize("command", ["rebase", "cherry-pick", "revert", "stash"])
def test_what_git_calls_a_driver_for_without_naming_a_commit_merges_too(branches, command):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    if command == "rebase":
        done = branches.git("rebase", "theirs")
    elif command == "cherry-pick":
        done = branches.git("cherry-pick", "theirs")
    elif command == "revert":  # of what came before a change of its own
        branches.change({ENVIRONMENT: SPEC + "- numpyish\n- click-like\n"})
        done = branches.git("revert", "--no-edit", "HEAD~1")
    else:
        branches.repo.git("checkout", "--quiet", "main")
        branches.repo.write(add("click-like"))
        branches.story.call("lock")
        branches.repo.git("stash", "--quiet")
        branches.repo.git("checkout", "--quiet", "ours")
        done = branches.git("stash", "pop")
    assert done.code == 0, done.said
    wanted = {"alpha", "click-like"} | ({"numpyish"} if command != "revert" else set())
    for platform in (HERE, "osx-arm64"):
        assert wanted <= set(names(branches.lock(platform=platform)))
        assert ("numpyish" in names(branches.lock(platform=platform))) == (command != "revert")
    assert branches.story.call("lock", "--check").code == 0


def test_a_conflict_of_specs_leaves_our_lock_whole_and_says_what_to_do(branches):
    branches.branch("theirs", {ENVIRONMENT: SPEC.replace("alpha 1.0", "alpha 2.0")})
    branches.branch("ours", {ENVIRONMENT: SPEC.replace("alpha 1.0", "alpha >=1")})
    ours = branches.lock()
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert set(branches.conflicts()) == {ENVIRONMENT, LOCK, LOCK.replace(HERE, "osx-arm64")}
    assert "<<<<<<<" in branches.text(ENVIRONMENT)
    assert branches.lock() == ours
    assert branches.text(LOCK).startswith("# Not merged, this is one side's lock: ")
    assert "`envtag lock mlp/base`" in branches.text(LOCK).partition("\n")[0]
    assert f"error: {LOCK} is left as a conflict: `{ENVIRONMENT}` is a conflict itself" in done.said
    branches.repo.write({ENVIRONMENT: SPEC})
    assert branches.story.call("lock", "--check", check=1).out == f"mlp/base: stale on {HERE}, osx-arm64\n"
    assert "not every pin that both sides have" in branches.story.call("lock", "mlp/base").err
    assert "# Not merged" not in branches.text(LOCK)
    branches.repo.git("add", "--all")
    assert branches.git("commit", "--no-edit").code == 0
    assert branches.story.call("lock", "--check").code == 0


def test_without_the_channel_our_lock_stays_and_lock_finishes_it_later(branches, tmp_path, monkeypatch):
    old(branches, "main")
    branches.branch("theirs", add("click-like"))
    old(branches, "theirs")
    branches.branch("ours", add("numpyish"))
    old(branches, "ours")
    ours = branches.lock()
    with monkeypatch.context() as patch:
        patch.setenv("ENVTAG_MIRRORS", f"https://conda.anaconda.org/conda-forge={(tmp_path / 'gone').as_uri()}")
        done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert LOCK in branches.conflicts()
    assert ENVIRONMENT not in branches.conflicts()
    assert "cannot be read" in done.said
    assert branches.lock() == ours
    assert branches.story.call("lock", "--check", check=1).out.startswith("mlp/base: stale on ")
    branches.story.call("lock", "mlp/base")
    assert names(branches.lock())["beta"] == "1.0"
    assert {"numpyish", "click-like"} <= set(names(branches.lock()))
    hold(branches)


def test_what_cannot_be_solved_together_is_a_conflict_that_explains(branches):
    branches.branch("theirs", add("old-beta"))
    branches.branch("ours", {ENVIRONMENT: SPEC.replace("- alpha 1.0", "- beta >=2\n- alpha 1.0")})
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert ENVIRONMENT not in branches.conflicts()
    assert "no set of conda packages satisfies the request" in done.said
    assert "old-beta" in done.said


def test_a_platform_that_both_sides_add_is_locked_for_the_merged_spec(branches):
    more = {
        "envs/mlp/base/envtag.yml": branches.text("envs/mlp/base/envtag.yml").replace("osx-arm64", "osx-arm64, win-64")
    }
    branches.branch("theirs", {**add("click-like"), **more})
    branches.branch("ours", {**add("numpyish"), **more})
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    assert {"numpyish", "click-like"} <= set(names(branches.lock(platform="win-64")))
    assert branches.story.call("lock", "--check").code == 0


def test_packages_of_an_index_are_kept_too(make_branches):
    branches = make_branches(pure)
    path = "envs/mlp/pure/requirements.txt"
    text = branches.text(path)
    branches.branch("theirs", {path: text + "click-like\n"})
    branches.branch("ours", {path: text + "torchish\n"})
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    merged = branches.lock("mlp/pure")
    assert {"click-like", "torchish", "numpyish", "beta"} == set(names(merged))
    assert names(merged)["beta"] == "1.0"
    assert branches.story.call("lock", "--check").code == 0


def test_an_environment_that_extends_another_is_merged_on_it(make_branches):
    branches = make_branches(family)
    path = "envs/data/child/requirements.txt"
    text = branches.text(path)
    branches.branch("theirs", {path: text + "epsilon\n"})
    branches.branch("ours", {path: text + "torchish\n"})
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    merged = branches.lock("data/child")
    assert {"epsilon", "torchish", "click-like"} <= set(names(merged))
    assert merged.base_lock == branches.lock().id
    assert branches.story.call("lock", "--check").code == 0


def test_a_base_that_is_a_conflict_itself_waits(make_branches):
    branches = make_branches(family)
    branches.branch("theirs", add("numpyish"))
    branches.branch("ours", add("click-like"))
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    child = f"envs/data/child/{HERE}-lock.yml"
    assert branches.conflicts() == [child]
    assert f"{child} is left as a conflict: `{LOCK}`" in done.said
    branches.story.call("lock")
    assert branches.lock("data/child").base_lock == branches.lock().id


def test_crossed_histories_merge(branches):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    branches.repo.git("branch", "before")
    assert branches.git("merge", "--no-edit", "theirs").code == 0
    branches.repo.git("checkout", "--quiet", "theirs")
    assert branches.git("merge", "--no-edit", "before").code == 0
    branches.change({ENVIRONMENT: branches.text(ENVIRONMENT) + "- libarch\n"})
    branches.repo.git("checkout", "--quiet", "ours")
    branches.change({ENVIRONMENT: branches.text(ENVIRONMENT).replace("- alpha", "- tzish\n- alpha")})
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    assert branches.story.call("lock", "--check").code == 0
    assert {"libarch", "tzish", "click-like", "numpyish"} <= set(names(branches.lock()))


def test_a_driver_that_is_killed_leaves_a_conflict_or_nothing_and_never_half_a_lock(branches, envtag_on_path):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    ours = branches.lock()
    program = envtag_on_path.read_text()
    envtag_on_path.write_text('#!/bin/sh\ncase "$2" in lock) kill -9 $$;; esac\n' + program.partition("\n")[2])
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code != 0
    assert branches.lock() == ours
    envtag_on_path.write_text(program)
    if branches.conflicts():  # git before 2.46 takes a signal for a conflict
        assert set(branches.conflicts()) == {LOCK, LOCK.replace(HERE, "osx-arm64")}
        branches.repo.git("merge", "--abort")
    assert branches.story.status() == ""
    assert branches.git("merge", "--no-edit", "theirs").code == 0


def test_without_envtag_git_merges_text_and_lock_finishes_it(branches, envtag_on_path):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    envtag_on_path.unlink()
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert "<<<<<<<" in branches.text(LOCK)
    assert "<<<<<<<" in branches.text(ENVIRONMENT)
    branches.repo.write(add("numpyish", "click-like"))
    branches.story.call("lock", "mlp/base")
    hold(branches)
    assert branches.story.call("lock", "--check").code == 0


def test_a_clone_without_the_configuration_merges_text_and_is_told_what_to_do(branches):
    for section in ("lock", "ledger", "spec"):
        branches.repo.git("config", "--remove-section", f"merge.envtag-{section}")
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    assert branches.git("merge", "--no-edit", "theirs").code == 1
    branches.repo.write(add("numpyish", "click-like"))
    told = branches.story.call("lock", "mlp/base")
    assert "`envtag merge-driver install` lets git merge locks" in told.err
    hold(branches)


def test_a_work_tree_elsewhere_merges_too(branches, tmp_path):
    branches.branch("theirs", add("click-like"))
    branches.branch("ours", add("numpyish"))
    branches.repo.git("checkout", "--quiet", "main")
    branches.repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "ours")
    done = branches.git("-C", str(tmp_path / "linked"), "merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    text = (tmp_path / "linked" / LOCK).read_text()
    assert "click-like" in text
    assert "numpyish" in text


def test_a_lock_that_cannot_be_read_is_left_to_people(branches):
    branches.branch("theirs", {LOCK: "version: 1\n"}, lock=False)
    branches.branch("ours", add("numpyish"))
    ours = branches.lock()
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert branches.conflicts() == [LOCK]
    assert branches.lock() == ours
    branches.story.call("lock", "mlp/base")
    assert "# Not merged" not in branches.text(LOCK)
