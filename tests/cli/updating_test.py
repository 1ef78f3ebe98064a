from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envtag.cli.entry import USAGE, run
from support.commands import options_of


@pytest.fixture
def updated(monkeypatch) -> list[tuple[str, Any, dict[str, Any]]]:
    """What the verb was called with."""
    calls: list[tuple[str, Any, dict[str, Any]]] = []

    def record(name: str, wanted: Any, **options: Any) -> int:
        calls.append((name, wanted, options))
        return 7

    monkeypatch.setattr("envtag.commands.update.update", record)
    return calls


def test_every_option_of_update_reaches_the_verb(updated, tmp_path: Path):
    body, osv = tmp_path / "body.md", tmp_path / "osv.json"
    osv.write_text('{"id": "X"}')
    given = ["--exclude-newer", "2024-06-01", "--exempt", "c", "--min-age", "1", "--dry-run", "--json"]
    words = {word for word in given if word.startswith("--")}
    assert options_of("update") == {"--all", "--every", "--pr-body", "--security", *words}
    assert run(["update", "x/y", "a", "b>=2", *given, "--pr-body", str(body)]) == 7
    assert run(["update", "x/y", "--all"]) == 7
    assert run(["update", "x/y", "--security", str(osv)]) == 7
    (name, wanted, options), (_, everything, plain), (_, secure, _) = updated
    assert (name, [target.text for target in wanted.targets]) == ("x/y", ["a", "b>=2"])
    assert (wanted.everything, wanted.cutoff, wanted.exempt) == (False, "2024-06-01T00:00:00Z", {"c"})
    assert (options["dry_run"], options["as_json"], options["pr_body"]) == (True, True, body)
    assert (everything.everything, everything.cutoff, everything.advisories) == (True, "", None)
    assert (plain["dry_run"], plain["as_json"], plain["pr_body"]) == (False, False, None)
    assert secure.advisories.count == 1


def test_every_has_a_verb_of_its_own(monkeypatch):
    calls = []

    def record(wanted: Any, **options: Any) -> int:
        calls.append((wanted("mlp/base"), options["pr_bodies"], options["dry_run"]))
        return 7

    monkeypatch.setattr("envtag.commands.update_every.update_every", record)
    assert run(["update", "--every", "--dry-run"]) == 7
    [(wanted, bodies, dry_run)] = calls
    assert (wanted.everything, bodies, dry_run) == (True, None, True)


@pytest.mark.parametrize("words", [[], ["x", "--every"], ["x", "a", "--all"], ["x", "--all", "--security", "y"]])
def test_words_that_do_not_go_together_are_refused(updated, words):
    assert run(["update", *words]) == USAGE
    assert updated == []


def test_the_options_of_outdated_reach_the_verb(monkeypatch):
    calls = []

    def record(names: Any, **options: Any) -> int:
        calls.append((names, options["bases"], options["as_json"]))
        return 7

    monkeypatch.setattr("envtag.commands.outdated.outdated", record)
    assert options_of("outdated") == {"--bases", "--json"}
    assert run(["outdated", "x", "y", "--bases"]) == 7
    assert run(["outdated", "--json"]) == 7
    assert calls == [(("x", "y"), True, False), ((), False, True)]
