from __future__ import annotations

import pytest

from envtag.comparison import compared
from envtag.comparison.contents import changed_names
from envtag.errors import FatalError
from envtag.lock import write
from envtag.registry.environment import RevisionFiles
from support.diffs import NOW, conda, environment_files, lock, pypi


@pytest.fixture
def run(operands):
    """Compare what two words name; the difference."""

    def call(first="", second="", **options):
        older, newer, below = operands.pair(first, second)
        known = {"below": below, "today": NOW, "recent_days": 7, "find_facts": lambda _: {}}
        return compared(older, newer, **{**known, **options})

    return call


def told(diff):
    """Each environment, its state, and what happened to its packages."""
    return [(item.name, item.state, [(row.name, row.kind) for row in item.rows]) for item in diff.environments]


def test_two_commits(run):
    assert told(run("HEAD~1", "HEAD")) == [("ml/base", "changed", [("a", "upgraded")])]
    assert told(run("HEAD", "HEAD~1")) == [("ml/base", "changed", [("a", "downgraded")])]
    assert run("HEAD", "HEAD").is_empty


def test_the_work_tree_with_new_changed_and_removed_environments(run, repo):
    repo.write(environment_files("ml/new", "1.0"))
    repo.write(environment_files("ml/base", "2.0", "1.5"))
    repo.write(dict.fromkeys(environment_files("ml/other", "1")))
    assert told(run()) == [
        ("ml/base", "changed", [("b", "upgraded")]),
        ("ml/new", "added", [("a", "added")]),
        ("ml/other", "removed", [("a", "removed")]),
    ]
    assert told(run("ml/new")) == [("ml/new", "added", [("a", "added")])]


def test_an_environment_that_is_only_untouched_or_touched_is_no_change(run, repo):
    repo.write({"envs/ml/base/notes.md": "x", "envs/README.md": "y"})
    assert run().is_empty


def test_one_against_all_is_itself_before(run, repo):
    repo.write(environment_files("ml/base", "3.0", "1.0"))
    assert told(run("HEAD~1", "ml/base")) == [("ml/base", "changed", [("a", "upgraded")])]
    assert told(run("ml/base:latest", "HEAD")) == [("ml/base", "changed", [("a", "downgraded")])]


def test_two_different_environments(run):
    (item,) = run("ml/other", "ml/base").environments
    assert item.name == "ml/other -> ml/base"
    assert [(row.name, row.kind) for row in item.rows] == [("a", "upgraded"), ("b", "added")]


def test_two_directories_need_no_git(run, repo, tmp_path):
    for place, version in (("x", "1.0"), ("y", "2.0")):
        repo.write({f"../{place}/{name}": data for name, data in environment_files("e", version).items()})
    assert told(run(str(tmp_path / "x"), str(tmp_path / "y"))) == [("e", "changed", [("a", "upgraded")])]


def test_two_lock_files_do_not_know_what_is_direct(run):
    (item,) = run("HEAD~1:envs/ml/base/linux-64-lock.yml", "envs/ml/base/linux-64-lock.yml").environments
    assert [(row.name, row.direct) for row in item.rows] == [("a", None)]


def test_a_lock_file_is_compared_with_an_environment(run):
    (item,) = run("HEAD~1:envs/ml/base/linux-64-lock.yml", "ml/base").environments
    assert [row.kind for row in item.rows] == ["upgraded"]


def test_a_lock_file_and_all_environments_cannot_be_compared(run):
    with pytest.raises(FatalError, match="cannot be compared with all of main at"):
        run("main", "envs/ml/base/linux-64-lock.yml")


def test_what_the_spec_names_is_direct_on_its_platform(run, repo):
    spec = "- a\n- c  # [win]\n- pip:\n  - d; sys_platform == 'win32'\n"
    repo.write(environment_files("ml/base", "2.1", "1.1", "1.0", spec=spec))
    (item,) = run().environments
    assert {row.name: row.direct for row in item.rows} == {"a": True, "b": False, "c": False}
    assert {row.name: row.why for row in item.rows}["b"] == ("a", "b")
    assert [(entry.key, entry.after) for entry in item.requirements] == [
        ("conda c", "c [win-64]"),
        ("pypi d", 'd; sys_platform == "win32"'),
    ]


def test_channels_of_the_spec_are_told(run, repo):
    text = "channels: [conda-forge, https://channels.example.org/more]\ndependencies:\n- a\n"
    repo.write({"envs/ml/base/environment.yml": text})
    (item,) = run().environments
    assert [(entry.key, entry.before, entry.after) for entry in item.requirements] == [
        ("channels", "conda-forge", "conda-forge, https://channels.example.org/more")
    ]


def test_ages_count_from_the_newer_commit_or_from_today(run, repo):
    date = int(repo.git("log", "-1", "--format=%at")) * 1000
    assert run("HEAD~1", "HEAD").now == date
    assert run("HEAD", "ml/base").now == NOW


def test_settings_of_the_registry_are_compared(run, repo):
    repo.write({"pyproject.toml": '[tool.envtag]\nstore = "s3://x/y"\n'})
    assert [(item.key, item.after) for item in run().registry] == [("store", "s3://x/y")]
    assert run("ml/base").registry == ()


def test_archives_that_differ_are_looked_into(run):
    asked = []
    run("HEAD~1", "HEAD", find_facts=lambda packages: asked.extend(packages) or {})
    assert sorted((item.name, item.version) for item in asked) == [("a", "1.0"), ("a", "2.0")]


def test_locks_that_are_the_same_bytes_are_not_even_parsed(run, repo):
    repo.commit({"envs/ml/base/linux-64-lock.yml": "broken"})
    repo.write({"envs/ml/base/environment.yml": "channels: [conda-forge]\ndependencies:\n- a >=2\n"})
    (item,) = run().environments
    assert [entry.key for entry in item.requirements] == ["conda a"]


def test_the_cost_grows_with_the_change_and_not_with_the_registry(operands, repo, monkeypatch):
    files: dict[str, str | bytes | None] = {}
    for number in range(100):
        files.update(environment_files(f"team/e{number}", "1.0"))
    repo.commit(files)
    repo.commit(environment_files("team/e50", "2.0"))
    older, newer = operands.parse("HEAD~1"), operands.parse("HEAD")
    reads = []
    for method in ("read", "entries", "find"):
        original = getattr(RevisionFiles, method)
        monkeypatch.setattr(
            RevisionFiles,
            method,
            lambda self, *paths, _original=original: reads.append(paths) or _original(self, *paths),
        )
    assert changed_names(older, newer) == ["team/e50"]
    assert len(reads) <= 4


def test_the_work_tree_does_not_differ_from_itself(operands):
    now = operands.pair("HEAD", "")[1]
    assert changed_names(now, now) == []


def test_locks_of_two_platforms_cannot_be_compared(run, repo):
    repo.write({"windows-lock.yml": write(lock(platform="win-64"))})
    with pytest.raises(FatalError, match="the locks are of two platforms: envs/ml/base/linux-64-lock"):
        run("envs/ml/base/linux-64-lock.yml", "windows-lock.yml")


def test_constraints_and_requirements_of_other_platforms_are_not_direct(run, repo):
    spec = "version: 1\nspec: [requirements.txt]\npython: ==3.12.*\nplatforms: [linux-64]\n"
    packages = [conda("python"), *(pypi(name) for name in ("limit", "mac", "wanted"))]
    repo.write({
        "envs/ml/pure/envtag.yml": spec,
        "envs/ml/pure/requirements.txt": "wanted\nmac; sys_platform == 'darwin'\n-c limits.txt\n",
        "envs/ml/pure/limits.txt": "limit<2\n",
        "envs/ml/pure/linux-64-lock.yml": write(lock(*packages)),
    })  # fmt: skip
    (item,) = run().environments
    assert {row.name: row.direct for row in item.rows} == {"wanted": True, "python": True, "limit": False, "mac": False}
    assert "constraint limit" in {entry.key for entry in item.requirements}


def test_a_commit_that_goes_away_meanwhile_is_an_error(run, monkeypatch):
    monkeypatch.setattr("envtag.git.local.LocalGit.commit", lambda *_: None)
    with pytest.raises(FatalError, match="is gone"):
        run("HEAD~1", "HEAD")
