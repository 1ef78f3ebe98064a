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
    body = tmp_path / "body.md"
    given = ["--exclude-newer", "2024-06-01", "--dry-run", "--json", "--pr-body", str(body)]
    assert options_of("update") == {"--all", *(word for word in given if word.startswith("--"))}
    assert run(["update", "x/y", "a", "b>=2", *given]) == 7
    assert run(["update", "x/y", "--all"]) == 7
    (name, wanted, options), (_, everything, plain) = updated
    assert (name, [target.text for target in wanted.targets]) == ("x/y", ["a", "b>=2"])
    assert (wanted.everything, wanted.cutoff) == (False, "2024-06-01T00:00:00Z")
    assert (options["dry_run"], options["as_json"], options["pr_body"]) == (True, True, body)
    assert everything.everything
    assert (plain["dry_run"], plain["as_json"], plain["pr_body"]) == (False, False, None)


def test_update_needs_a_name(updated):
    assert run(["update"]) == USAGE
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
