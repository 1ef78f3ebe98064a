from __future__ import annotations

from pathlib import Path

import pytest

from envtag.cli.entry import USAGE, run
from support.commands import options_of


def test_every_option_of_pack_reaches_the_verb(called, tmp_path: Path):
    given = ["--output", "x.tar", "--platform", "win-64", "--format", "conda-pack", "--executable", "--force"]
    given += ["--offline", "--json"]
    assert options_of("pack") == {"-o", *(word for word in given if word.startswith("--"))}
    assert run(["pack", "mlp/base", "mlp/other", *given]) == 7
    (found,), options = called["pack"]
    assert [item.alias.name for item in found] == ["mlp/base", "mlp/other"]
    assert (options["destination"], options["platform"], options["as_json"]) == (Path("x.tar"), "win-64", True)
    packing = options["packing"]
    assert (packing.kind, packing.executable, packing.force, packing.offline) == ("conda-pack", True, True, True)


def test_pack_alone_packs_the_archives_for_this_machine(called):
    assert run(["pack", "mlp/base"]) == 7
    options = called["pack"][1]
    assert (options["destination"], options["platform"], options["as_json"]) == (None, "", False)
    packing = options["packing"]
    assert (packing.kind, packing.executable, packing.force, packing.offline) == ("archives", False, False, False)


def test_every_option_of_unpack_reaches_the_verb(called, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # which is in no registry
    given = ["--prefix", "there", "--force", "--expect", "sha256:0"]
    assert options_of("unpack") == {word for word in given if word.startswith("--")}
    assert run(["unpack", "x.tar", *given]) == 7
    (file,), options = called["unpack"]
    assert file == Path("x.tar")
    assert (options["prefix"], options["force"], options["expect"]) == (Path("there"), True, "sha256:0")
    assert run(["unpack", "x.tar"]) == 7
    options = called["unpack"][1]
    assert (options["prefix"], options["force"], options["expect"]) == (None, False, "")


@pytest.mark.parametrize("arguments", [["pack"], ["pack", "a", "--format", "zip"], ["unpack"], ["unpack", "a", "b"]])
def test_wrong_usage_calls_nothing(called, arguments: list[str]):
    assert run(arguments) == USAGE
    assert called == {}
