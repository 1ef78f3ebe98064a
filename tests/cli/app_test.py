from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click
import pytest

from envtag.cli.app import cli
from envtag.cli.entry import NO, OK, USAGE, run
from support.repository import GitRepo

SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"
VERBS = {
    "init": "envtag.commands.init.init",
    "resolve": "envtag.commands.resolve.resolve",
    "lock": "envtag.commands.lock.lock",
    "publish": "envtag.commands.publish.publish",
    "alias": "envtag.commands.alias.alias",
    "show": "envtag.commands.show.show",
    "list": "envtag.commands.list.list_environments",
    "create": "envtag.commands.create.create",
    "run": "envtag.commands.run.run",
    "provide": "envtag.hydration.provide",
}


@pytest.fixture(autouse=True)
def registry(tmp_path, monkeypatch) -> GitRepo:
    """A registry with `mlp/base` and `mlp/other` (without locks), which is the working directory."""
    repo = GitRepo.create(tmp_path / "registry")
    repo.commit({
        "pyproject.toml": "[tool.envtag]\n",
        "envs/mlp/base/envtag.yml": SETTINGS,
        "envs/mlp/other/envtag.yml": SETTINGS,
    })  # fmt: skip
    monkeypatch.chdir(repo.path)
    return repo


@pytest.fixture
def called(monkeypatch) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """Each verb's arguments, once it was called; it answers 7."""
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    for verb, target in VERBS.items():
        module, _, function = target.rpartition(".")

        def record(*args: Any, verb: str = verb, **options: Any) -> int:
            calls[verb] = (args, options)
            return 7

        monkeypatch.setattr(importlib.import_module(module), function, record)
    return calls


def options_of(command: str) -> set[str]:
    found = cli.commands[command]
    return {option for item in found.params if isinstance(item, click.Option) for option in item.opts}


def test_the_commands_are_these():
    assert sorted(cli.commands) == [
        "alias", "config", "create", "get", "init", "list", "lock", "publish", "resolve", "run", "shell", "show",
    ]  # fmt: skip


def test_every_option_of_resolve_reaches_the_verb(called, tmp_path):
    given = {
        "-r": "a.txt", "-f": "b.yml", "-p": "c.toml", "--python": "3.12", "--platform": "win-64",
        "--channel": "bioconda", "--index-url": "https://one.example/simple", "--extra-index-url": "https://two.example/simple",
        "--alias": "mlp/base:v1", "--exclude-newer": "2026-01-01", "--using": "mlp/other:v1",
        "--dry-run": None, "--force": None, "--json": None,
    }  # fmt: skip
    assert options_of("resolve") == set(given)
    words = [word for option, value in given.items() for word in (option, value) if word is not None]
    assert run(["resolve", *words, "--alias", "x", "--platform", "osx-64", "-r", "d.txt"]) == 7
    (wanted,), options = called["resolve"]
    assert list(wanted.files) == [
        ("requirements", Path("a.txt")), ("requirements", Path("d.txt")),
        ("environment", Path("b.yml")), ("pyproject", Path("c.toml")),
    ]  # fmt: skip
    assert wanted.python == "3.12"
    assert (tuple(wanted.platforms), tuple(wanted.channels)) == (("win-64", "osx-64"), ("bioconda",))
    assert wanted.index_url == "https://one.example/simple"
    assert tuple(wanted.extra_index_urls) == ("https://two.example/simple",)
    assert tuple(wanted.aliases) == ("mlp/base:v1", "x")
    assert (wanted.exclude_newer, wanted.using) == ("2026-01-01", "mlp/other:v1")
    assert (wanted.dry_run, wanted.force, wanted.as_json) == (True, True, True)
    assert options["registry"].worktree == tmp_path / "registry"
    assert set(options) == {"registry", "config", "output"}


def test_resolve_without_options_has_none(called):
    assert run(["resolve"]) == 7
    (wanted,), _ = called["resolve"]
    assert (wanted.dry_run, wanted.force, wanted.as_json) == (False, False, False)
    assert not any([wanted.files, wanted.aliases, wanted.platforms, wanted.python, wanted.using])


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("init", ["new", "--store", "file:///srv/x"], (Path("new"), {"store": "file:///srv/x"})),
        ("init", ["new"], (Path("new"), {"store": ""})),
        ("lock", [], ((), {"check": False, "as_json": False})),
        ("lock", ["a", "b", "--check", "--json"], (("a", "b"), {"check": True, "as_json": True})),
        ("publish", [], ((), {"push": True, "as_json": False})),
        ("publish", ["a", "--no-push", "--json"], (("a",), {"push": False, "as_json": True})),
        ("list", [], ("", {"as_json": False})),
        ("list", ["mlp", "--json"], ("mlp", {"as_json": True})),
    ],
)
def test_arguments_and_options_reach_the_verb(called, verb, arguments, expected):
    assert {word for word in arguments if word.startswith("--")} <= options_of(verb)
    assert run([verb, *arguments]) == 7
    (first,), options = called[verb]
    assert first == expected[0]
    assert {key: options[key] for key in expected[1]} == expected[1]
    assert options["output"].quiet is False


def test_alias_takes_a_source_and_a_target(called):
    assert run(["alias", "mlp/base:v1", "mlp/base:stable"]) == 7
    assert called["alias"][0] == ("mlp/base:v1", "mlp/base:stable")


def test_show_looks_up_each_reference(called):
    assert run(["show", "mlp/base", "mlp/other", "--platform", "win-64", "--json"]) == 7
    (found,), options = called["show"]
    assert [item.environment.name for item in found] == ["mlp/base", "mlp/other"]
    assert (options["platform"], options["as_json"]) == ("win-64", True)


def test_get_provides_and_shows(called):
    assert run(["get", "mlp/base", "--offline"]) == 7
    (found,), options = called["provide"]
    assert found.environment.name == "mlp/base"
    assert options["offline"] is True
    assert found.registry.offline
    assert called["show"][0] == ([found],)


def test_every_option_of_create_reaches_the_verb(called, tmp_path):
    given = ["--prefix", str(tmp_path / "env"), "--name", "mine", "--force", "--offline"]
    assert options_of("create") == {word for word in given if word.startswith("--")}
    assert run(["create", "mlp/base", *given]) == 7
    (found,), options = called["create"]
    assert found.environment.name == "mlp/base"
    assert options["prefix"] == tmp_path / "env"
    assert (options["name"], options["force"], options["offline"]) == ("mine", True, True)
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


def test_registry_and_quiet_go_before_the_command(called, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "--registry", "registry", "list"]) == 7
    options = called["list"][1]
    assert options["registry"].worktree == registry.path
    assert options["output"].quiet is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "mlp/base"], ["run", "mlp/base", "--"], ["run"], ["show"], ["alias", "mlp/base:v1"], ["init"], ["get"],
        ["create"], ["shell"], ["list", "a", "b"], ["lock", "--nonsense"], ["resolve", "stray"], ["nonsense"],
        ["--registry"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2_and_calls_nothing(called, capsys, arguments):
    assert run(arguments) == USAGE
    assert called == {}
    assert "Error: " in capsys.readouterr().err


def test_an_unknown_environment_is_exit_code_1(capsys):
    assert run(["show", "mlp/absent"]) == NO
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "hint: " in captured.err


def test_results_are_on_stdout_and_talk_on_stderr(capsys):
    assert run(["list"]) == OK
    captured = capsys.readouterr()
    assert "mlp/base" in captured.out
    assert captured.err == ""


def test_no_registry_is_exit_code_1(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["list"]) == NO
    assert "is in no registry" in capsys.readouterr().err


def test_help_needs_no_registry(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in ([], *([name] for name in cli.commands)):
        assert run([*command, "-h"]) == OK
        assert "Usage: envtag" in capsys.readouterr().out
