from __future__ import annotations

import pytest

from envtag.cli.entry import run
from support.commands import options_of


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        (
            "publish",
            [],
            ((), {"platforms": (), "changed_since": "", "dry_run": False, "push": True, "as_json": False}),
        ),
        (
            "publish",
            ["--platform", "osx-arm64", "--platform", "win-64", "--changed-since", "HEAD~1", "--dry-run"],
            ((), {"platforms": ("osx-arm64", "win-64"), "changed_since": "HEAD~1", "dry_run": True}),
        ),
        ("publish", ["a", "--no-push", "--json"], (("a",), {"push": False, "as_json": True})),
        ("publish", ["a"], (("a",), {"repair": False, "sign": False, "sign_key": ""})),
        ("publish", ["a", "--repair", "--sign"], (("a",), {"repair": True, "sign": True})),
        ("publish", ["a", "--sign-key", "k.pub"], (("a",), {"sign": False, "sign_key": "k.pub"})),
    ],
)
def test_arguments_and_options_reach_the_verb(called, verb, arguments, expected):
    assert {word for word in arguments if word.startswith("--")} <= options_of(verb)
    assert run([verb, *arguments]) == 7
    (first,), options = called[verb]
    assert first == expected[0]
    assert {key: options[key] for key in expected[1]} == expected[1]
    assert options["output"].quiet is False
