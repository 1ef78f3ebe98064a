from __future__ import annotations

from typing import Any

import pytest

from envtag.cli.entry import USAGE, run
from support.commands import options_of


@pytest.fixture
def found(monkeypatch) -> list[tuple[str, dict[str, Any]]]:
    """What the verb was called with."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def record(request: str, **options: Any) -> int:
        calls.append((request, options))
        return 7

    monkeypatch.setattr("envtag.commands.find.find", record)
    return calls


def test_every_option_of_find_reaches_the_verb(found):
    given = {"--request": "a" * 40, "--platform": "win-64", "--by": "ada", "--json": None}
    assert options_of("find") == set(given)
    assert run(["find", *(word for item in given.items() for word in item if word is not None)]) == 7
    (request, options) = found[0]
    assert request == "a" * 40
    assert (options["platform"], options["by"], options["as_json"]) == ("win-64", "ada", True)
    assert run(["find", "--request", "x"]) == 7
    assert (found[1][1]["platform"], found[1][1]["by"], found[1][1]["as_json"]) == ("", "", False)


def test_find_needs_a_request(found):
    assert run(["find"]) == USAGE
    assert found == []
