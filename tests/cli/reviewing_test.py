from __future__ import annotations

from typing import Any

import pytest

from envtag.cli.entry import USAGE, run
from support.commands import options_of


@pytest.fixture
def diffed(monkeypatch) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """What the verb was called with."""
    calls: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def record(*words: str, **options: Any) -> int:
        calls.append((words, options))
        return 7

    monkeypatch.setattr("envtag.commands.diff.diff", record)
    return calls


def test_the_words_and_options_of_diff_reach_the_verb(diffed):
    assert options_of("diff") == {"--markdown", "--html", "--json", "--recent-days", "--exit-code"}
    assert run(["diff"]) == 7
    assert run(["diff", "main"]) == 7
    assert run(["diff", "a:v1", "a:v2", "--recent-days", "30", "--exit-code"]) == 7
    assert [words for words, _ in diffed] == [("", ""), ("main", ""), ("a:v1", "a:v2")]
    chosen = [(options["recent_days"], options["exit_code"], options["shape"]) for _, options in diffed]
    assert chosen == [(7, False, "table"), (7, False, "table"), (30, True, "table")]


@pytest.mark.parametrize("shape", ["markdown", "html", "json"])
def test_each_format_is_an_option(diffed, shape):
    assert run(["diff", f"--{shape}"]) == 7
    assert diffed[0][1]["shape"] == shape


@pytest.mark.parametrize(
    "arguments", [["a", "b", "c"], ["--recent-days", "-1"], ["--recent-days", "x"], ["--nonsense"]]
)
def test_wrong_usage_calls_nothing(diffed, arguments):
    assert run(["diff", *arguments]) == USAGE
    assert diffed == []
