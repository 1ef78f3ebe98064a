from __future__ import annotations

import pytest

from envtag.cli.entry import run
from envtag.commands.list import Wanted
from support.commands import options_of


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("list", [], ("", {"as_json": False})),
        ("list", ["mlp", "--json"], ("mlp", {"as_json": True})),
        (
            "list",
            ["--tag", "v1", "--package", "numpy <2", "--user", "ada"],
            ("", {"wanted": Wanted(tag="v1", package="numpy <2", user="ada")}),
        ),
    ],
)
def test_arguments_and_options_reach_the_verb(called, verb, arguments, expected):
    assert {word for word in arguments if word.startswith("--")} <= options_of(verb)
    assert run([verb, *arguments]) == 7
    (first,), options = called[verb]
    assert first == expected[0]
    assert {key: options[key] for key in expected[1]} == expected[1]
    assert options["output"].quiet is False


def test_show_looks_up_each_reference(called):
    assert run(["show", "mlp/base", "mlp/other", "--platform", "win-64", "--json"]) == 7
    (found,), options = called["show"]
    assert [item.environment.name for item in found] == ["mlp/base", "mlp/other"]
    assert (options["platform"], options["as_json"]) == ("win-64", True)


def test_show_takes_steps_of_metaflow_as_what_names_them(monkeypatch, capsys):
    asked: list[str] = []
    monkeypatch.setattr("envtag.cli.calls.show", lambda _, references, **__: asked.extend(references) or 7)
    assert run(["show", "mlp/base", "--pathspec", "MyFlow/1/a", "--pathspec", "step:MyFlow"]) == 7
    assert asked == ["mlp/base", "step:MyFlow/1/a", "step:MyFlow"]
    assert run(["show", "--json"]) == 2
    assert "Missing argument 'REF...'" in capsys.readouterr().err


def test_get_provides_and_shows(called):
    assert run(["get", "mlp/base", "--offline"]) == 7
    (found,), options = called["provide"]
    assert found.environment.name == "mlp/base"
    assert options["offline"] is True
    assert found.registry.offline
    assert called["show"][0] == ([found],)


def test_every_option_of_create_reaches_the_verb(called, tmp_path):
    given = ["--prefix", str(tmp_path / "env"), "--name", "mine", "--force", "--offline", "--platform", "win-64-x"]
    assert options_of("create") == {word for word in given if word.startswith("--")}
    assert run(["create", "mlp/base", *given]) == 7
    (found,), options = called["create"]
    assert found.environment.name == "mlp/base"
    assert options["prefix"] == tmp_path / "env"
    assert (options["name"], options["force"], options["offline"]) == ("mine", True, True)
    assert options["platform"] == "win-64-x"
    assert run(["create", "mlp/base"]) == 7
    options = called["create"][1]
    assert (options["prefix"], options["name"], options["force"], options["offline"]) == (None, "", False, False)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--", "python", "-c", "1"], ("python", "-c", "1")),
        (["python", "-m", "x", "--offline", "--help"], ("python", "-m", "x", "--offline", "--help")),
        (["--", "tool", "--", "rest"], ("tool", "--", "rest")),
        (["--", "--strange"], ("--strange",)),
    ],
)
def test_run_passes_the_command_on_as_it_is(called, words, command):
    assert run(["run", "mlp/base", *words]) == 7
    (found, passed), options = called["run"]
    assert found.environment.name == "mlp/base"
    assert tuple(passed) == command
    assert options["offline"] is False


def test_run_and_shell_may_be_offline(called):
    assert run(["run", "--offline", "mlp/base", "--", "python"]) == 7
    assert called["run"][1]["offline"] is True
    assert run(["shell", "--offline", "mlp/base"]) == 7
    (found, passed), options = called["run"]
    assert (tuple(passed), options["offline"]) == ((), True)
    assert found.registry.offline
    assert run(["shell", "mlp/base"]) == 7
    assert called["run"][1]["offline"] is False
