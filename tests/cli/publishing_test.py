from __future__ import annotations

import pytest

from envtag.cli.entry import run
from support.commands import options_of


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("publish", [], ((), {"push": True, "as_json": False})),
        ("publish", ["a", "--no-push", "--json"], (("a",), {"push": False, "as_json": True})),
    ],
)
def test_arguments_and_options_reach_the_verb(called, verb, arguments, expected):
    assert {word for word in arguments if word.startswith("--")} <= options_of(verb)
    assert run([verb, *arguments]) == 7
    (first,), options = called[verb]
    assert first == expected[0]
    assert {key: options[key] for key in expected[1]} == expected[1]
    assert options["output"].quiet is False
