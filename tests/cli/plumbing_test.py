from __future__ import annotations

import pytest

from envtag.cli.entry import USAGE, run
from envtag.commands import merge_driver


@pytest.fixture
def calls(monkeypatch):
    """What the verbs are called with; each answers 7."""
    found = []

    def record(*words, **options):
        found.append((words, options))
        return 7

    monkeypatch.setattr(merge_driver, "merge", record)
    monkeypatch.setattr(merge_driver, "install", record)
    return found


@pytest.mark.parametrize("kind", ["lock", "ledger", "spec"])
def test_what_git_hands_over_reaches_the_verb(calls, kind):
    assert run(["merge-driver", kind, ".merge_a", ".merge_b", ".merge_c", "9", "envs/a b/tags.yml"]) == 7
    [((found, versions), options)] = calls
    assert found == kind
    assert [str(path) for path in (versions.base, versions.ours, versions.theirs)] == [
        ".merge_a", ".merge_b", ".merge_c",
    ]  # fmt: skip
    assert (versions.marker, versions.path) == (9, "envs/a b/tags.yml")
    assert set(options) == {"config", "environ", "output"}


def test_a_driver_needs_no_registry_around_it(calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["merge-driver", "spec", "a", "b", "c", "7", "x"]) == 7
    assert len(calls) == 1


@pytest.mark.parametrize(("arguments", "user"), [([], False), (["--global"], True)])
def test_installing_is_for_the_registry_that_one_is_in(calls, registry, arguments, user):
    assert run(["merge-driver", "install", *arguments]) == 7
    [((found,), options)] = calls
    assert found.worktree == registry.path
    assert options["user"] is user


@pytest.mark.parametrize(
    "arguments", [["merge-driver", "lock"], ["merge-driver", "lock", "a", "b", "c", "x", "p"], ["merge-driver", "what"]]
)
def test_wrong_usage_is_exit_code_2(calls, arguments):
    assert run(arguments) == USAGE
    assert calls == []
