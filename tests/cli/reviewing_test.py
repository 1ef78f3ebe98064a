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


@pytest.fixture
def checked(monkeypatch) -> list[dict[str, Any]]:
    """What the verb of `check` was called with."""
    calls: list[dict[str, Any]] = []

    def record(**options: Any) -> int:
        calls.append(options)
        return 7

    monkeypatch.setattr("envtag.commands.check.check", record)
    return calls


def test_the_options_of_check_reach_the_verb(checked):
    assert options_of("check") == {"--base", "--all", "--strict", "--store", "--github", "--sarif", "--json"}
    assert run(["check"]) == 7
    assert run(["check", "--base", "main", "--all", "--strict", "--store", "file:///s"]) == 7
    keys = ("base", "whole", "strict", "store", "shape")
    assert [tuple(options[key] for key in keys) for options in checked] == [
        ("", False, False, "", "text"),
        ("main", True, True, "file:///s", "text"),
    ]


@pytest.mark.parametrize("shape", ["github", "sarif", "json"])
def test_each_format_of_check_is_an_option(checked, shape):
    assert run(["check", f"--{shape}"]) == 7
    assert checked[0]["shape"] == shape


@pytest.mark.parametrize("arguments", [["main"], ["--base"], ["--nonsense"]])
def test_wrong_usage_of_check_calls_nothing(checked, arguments):
    assert run(["check", *arguments]) == USAGE
    assert checked == []


@pytest.fixture
def planned(monkeypatch) -> list[dict[str, Any]]:
    """What `plan` and `comment` were called with."""
    calls: list[dict[str, Any]] = []
    for name in ("plan", "comment"):
        monkeypatch.setattr(f"envtag.commands.{name}.{name}", lambda **options: calls.append(options) or 7)
    return calls


def test_the_options_of_plan_reach_the_verb(planned):
    assert options_of("plan") == {"--base", "--head", "--since-success", "--github", "--json"}
    assert run(["plan"]) == 7
    assert run(["plan", "--base", "a", "--head", "b", "--github", "--json"]) == 7
    assert run(["plan", "--since-success"]) == 7
    names = ("base", "head", "since_success", "github", "as_json")
    assert [tuple(options[name] for name in names) for options in planned] == [
        ("", "HEAD", False, False, False), ("a", "b", False, True, True), ("", "HEAD", True, False, False),
    ]  # fmt: skip
    assert run(["plan", "--base", "a", "--since-success"]) == USAGE


def test_the_file_of_comment_reaches_the_verb(planned):
    assert run(["comment", "--findings", "x.json"]) == 7
    assert str(planned[0]["findings"]) == "x.json"
