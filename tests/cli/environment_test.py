from __future__ import annotations

from pathlib import Path

import click
import pytest

from envtag.cli.entry import run
from envtag.cli.environment import environment


def options_of(command: str) -> set[str]:
    found = environment.commands[command]
    return {
        option for item in found.params if isinstance(item, click.Option) and not item.hidden for option in item.opts
    }


def test_the_commands_are_those_of_the_documents_and_list():
    assert sorted(environment.commands) == ["alias", "create", "get", "list", "resolve", "show"]


def test_every_option_of_resolve_reaches_the_verb(called):
    given = {
        "-r": "a.txt", "-f": "b.yml", "-p": "c.toml", "--python": ">=3.8,<3.9", "--platform": "win-64",
        "--arch": "osx-64", "--alias": "mlp/base:v1", "--using": "mlp/other:v1", "--using-pathspec": None,
        "--from": None, "--from-pathspec": None,
        "--dry-run": "", "--force": "", "--local-only": "", "--skip-metaflow-deps": "", "--json": "",
        "--set-default": None,
    }  # fmt: skip
    assert options_of("resolve") == set(given)
    words = [word for option, value in given.items() if value is not None for word in (option, value) if word]
    assert run(["environment", "resolve", *words, "--alias", "x"]) == 7
    (wanted,), options = called["resolve"]
    assert list(wanted.files) == [
        ("requirements", Path("a.txt")), ("environment", Path("b.yml")), ("pyproject", Path("c.toml")),
    ]  # fmt: skip
    assert wanted.python == ">=3.8,<3.9"
    assert tuple(wanted.platforms) == ("win-64", "osx-64")
    assert tuple(wanted.aliases) == ("mlp/base:v1", "x")
    assert (wanted.using, wanted.needs) == ("mlp/other:v1", {})
    assert (wanted.dry_run, wanted.force, wanted.as_json) == (True, True, True)
    assert options["registry"].offline is True


def test_what_is_taken_as_it_is_gets_nothing_that_metaflow_needs(called):
    assert run(["environment", "resolve", "--from", "mlp/base:v1", "--platform", "win-64"]) == 7
    wanted = called["resolve"][0][0]
    assert (wanted.source, tuple(wanted.platforms), wanted.needs) == ("mlp/base:v1", ("win-64",), {})


def test_what_metaflow_needs_is_asked_for_beside_the_files(called):
    assert run(["environment", "resolve", "-r", "a.txt"]) == 7
    assert called["resolve"][0][0].needs == {"requests": ">=2.21.0"}
    assert run(["environment", "--datastore", "s3", "resolve", "-r", "a.txt"]) == 7
    assert set(called["resolve"][0][0].needs) == {"boto3", "requests"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["resolve", "--using", "a", "--using-pathspec", "F/1/a"], "`--using` and `--using-pathspec`"),
        (["resolve", "--using", "a", "--from", "b"], "`--using` and `--from`"),
        (["resolve", "--from", "a", "-r", "a.txt"], "leave out `-r`"),
        (["resolve", "--from-pathspec", "F/1/a", "--platform", "win-64", "--python", "3"], "leave out `--python`"),
        (["resolve", "--from", "a"], "add `--platform`"),
        (["resolve", "-r", "a.txt", "--set-default"], "add `--alias`"),
        (["resolve", "-r", "a.txt", "--alias", "x", "--dry-run", "--set-default"], "leave out `--dry-run`"),
        (["show"], "name an environment"),
        (["get"], "name one environment"),
        (["get", "mlp/base", "--pathspec", "F/1/a"], "name one environment"),
        (["create", "mlp/base", "--pathspec", "F/1/a"], "name one environment"),
        (["alias", "mlp/base:v1"], "give it a name"),
        (["alias"], "name one environment"),
    ],
)
def test_contradictory_options_are_refused_by_name_before_any_work(called, capsys, arguments, expected):
    assert run(["environment", *arguments]) == 2
    assert called == {}
    assert expected in capsys.readouterr().err


def test_both_spellings_of_alias_reach_the_verb(called, monkeypatch):
    targets: list[list[str]] = []
    monkeypatch.setattr("envtag.commands.alias.alias_all", lambda _, named, **__: targets.append(list(named)) or 7)
    assert run(["environment", "alias", "mlp/base", "team/x:v1"]) == 7
    assert run(["environment", "alias", "mlp/base", "--alias", "team/x:v1", "--alias", "team/y"]) == 7
    assert targets == [["team/x:v1"], ["team/x:v1", "team/y"]]


def test_show_and_get_show_as_the_documents_do(called):
    assert run(["environment", "show", "mlp/base", "mlp/other", "--arch", "win-64", "--json"]) == 7
    (found,), options = called["show"]
    assert [item.environment.name for item in found] == ["mlp/base", "mlp/other"]
    assert (options["platform"], options["as_json"], options["documented"]) == ("win-64", True, True)
    assert run(["environment", "get", "mlp/base", "--offline"]) == 7
    assert called["provide"][1]["offline"] is True
    assert called["show"][1]["documented"] is True


def test_every_option_of_create_reaches_the_verb(called, tmp_path):
    given = ["--name", "mine", "--force", "--into-dir", str(tmp_path / "code"), "--install-notebook", "--offline"]
    assert options_of("create") == {*(word for word in given if word.startswith("--")), "--pathspec"}
    assert run(["environment", "create", "mlp/base", *given]) == 7
    (found,), options = called["create"]
    assert found.environment.name == "mlp/base"
    assert (options["name"], options["force"], options["notebook"]) == ("mine", True, True)
    assert (options["into_dir"], options["step"]) == (tmp_path / "code", None)


def test_quiet_may_be_said_to_the_group(called):
    assert run(["environment", "-q", "list"]) == 7
    assert called["list"][1]["output"].quiet is True


def test_the_registry_may_be_said_to_the_group(called, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["environment", "--registry", "registry", "list"]) == 7
    assert called["list"][1]["registry"].worktree == registry.path
