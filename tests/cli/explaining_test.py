from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from envtag.cli.entry import run
from envtag.platforms import current_platform
from support.commands import options_of


@pytest.fixture
def called(monkeypatch) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """What verbs were called with; `x` is locked for osx-arm64 only."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    found = SimpleNamespace(platforms=("osx-arm64",))
    monkeypatch.setattr("envtag.cli.session.Session.find", lambda self, reference: found)
    for name in ("why", "tree", "log"):

        def record(*words: Any, name: str = name, **options: Any) -> int:
            calls.append((name, words, options))
            return 7

        monkeypatch.setattr(f"envtag.commands.{name}.{name}", record)
    return calls


def test_the_options_of_why_and_tree_reach_the_verbs(called):
    assert options_of("why") == {"--platform", "--offline", "--json"}
    assert options_of("tree") == {"--depth", "--invert", "--platform", "--offline", "--json"}
    assert run(["why", "x", "numpy", "--offline", "--json"]) == 7
    assert run(["tree", "x", "--depth", "2", "--invert", "numpy", "--platform", "win-64"]) == 7
    (_, words, options), (_, _, more) = called
    assert words[1:] == ("numpy",)
    assert options["platform"] == ("osx-arm64" if current_platform() != "osx-arm64" else current_platform())
    assert (options["offline"], options["as_json"]) == (True, True)
    assert (more["depth"], more["invert"], more["platform"]) == (2, "numpy", "win-64")


def test_log_takes_a_name(called):
    assert options_of("log") == {"--json"}
    assert run(["log", "mlp/base", "--json"]) == 7
    [(_, words, options)] = called
    assert (words, options["as_json"]) == (("mlp/base",), True)
