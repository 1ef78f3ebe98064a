from __future__ import annotations

import pytest

from envtag.cli.entry import USAGE, run
from support.commands import options_of


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("gc", [], {"keep_days": 30, "window_days": 7, "dry_run": False, "as_json": False}),
        (
            "gc",
            ["--keep-days", "0", "--window-days", "1", "--dry-run", "--json"],
            {"keep_days": 0, "window_days": 1, "dry_run": True, "as_json": True},
        ),
        ("verify", ["--all"], {"deep": False, "as_json": False}),
        ("verify", ["--deep", "--json", "a:v1", "b"], {"deep": True, "as_json": True}),
    ],
)
def test_arguments_and_options_reach_the_verb(called, verb, arguments, expected):
    assert {word for word in arguments if word.startswith("--")} <= options_of(verb)
    assert run([verb, *arguments]) == 7
    words, options = called[verb]
    assert {key: options[key] for key in expected} == expected
    assert words == ((tuple(word for word in arguments if not word.startswith("--")),) if verb == "verify" else ())


def test_a_prefix_needs_no_registry(called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["verify", "--prefix", str(tmp_path)]) == 7
    assert called["verify_prefix"][0] == (tmp_path, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify"], ["verify", "--all", "a:v1"], ["verify", "--prefix", ".", "--all"],
        ["verify", "--prefix", ".", "a", "b"], ["verify", "--prefix", ".", "--deep"],
        ["gc", "--window-days", "0"], ["gc", "--keep-days", "-1"],
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_wrong_usage(called, arguments):
    assert run(arguments) == USAGE
    assert called == {}
