from __future__ import annotations

from pathlib import Path
from typing import Any

from envtag.cli import calls
from envtag.cli.session import Session


def test_each_call_reaches_its_verb_with_what_it_was_given(called: dict[str, Any]):
    session = Session(quiet=True)
    assert calls.show(session, references=("mlp/base", "mlp/other"), platform="win-64", as_json=True) == 7
    (found,), options = called["show"]
    assert [item.environment.name for item in found] == ["mlp/base", "mlp/other"]
    assert (options["platform"], options["as_json"], options["output"].quiet) == ("win-64", True, True)
    assert calls.create(session, reference="mlp/base", prefix=Path("x"), name="n", force=True, offline=False) == 7
    options = called["create"][1]
    assert (options["prefix"], options["name"], options["force"], options["offline"]) == (Path("x"), "n", True, False)
    assert calls.run(session, reference="mlp/base", words=("a", "b"), offline=True) == 7
    (_, words), options = called["run"]
    assert (words, options["offline"]) == (("a", "b"), True)
    assert calls.unpack(session, file=Path("x.tar"), prefix=Path("x"), force=True, expect="sha256:0") == 7
    (file,), options = called["unpack"]
    assert (file, options["prefix"], options["force"], options["expect"]) == (
        Path("x.tar"),
        Path("x"),
        True,
        "sha256:0",
    )


def test_the_store_is_opened_only_by_who_asks_for_it(called: dict[str, Any], monkeypatch: Any):
    session = Session()
    calls.create(session, reference="mlp/base", prefix=None, name="", force=False, offline=False)
    assert "store" not in vars(session)
    assert called["create"][1]["open_store"]() is session.store
