from __future__ import annotations

import click
import pytest

from envtag.cli.app import cli
from envtag.cli.entry import NO, OK, USAGE, run


def test_the_commands_are_these():
    assert sorted(cli.commands) == [
        "alias",
        "check",
        "comment",
        "config",
        "create",
        "diff",
        "doctor",
        "environment",
        "export",
        "find",
        "gc",
        "get",
        "hook",
        "import",
        "init",
        "list",
        "lock",
        "log",
        "merge-driver",
        "outdated",
        "pack",
        "plan",
        "protect",
        "publish",
        "resolve",
        "run",
        "shell",
        "show",
        "tree",
        "unpack",
        "update",
        "verify",
        "why",
    ]


def test_registry_and_quiet_go_before_the_command(called, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "--registry", "registry", "list"]) == 7
    options = called["list"][1]
    assert options["registry"].worktree == registry.path
    assert options["output"].quiet is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "-q", "--registry", "registry"],
        ["-q", "list", "--registry=registry"],
        ["--registry", "x", "list", "--quiet", "--registry", "registry"],
    ],
)
def test_they_may_follow_it_and_the_last_one_counts(called, registry, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 7
    options = called["list"][1]
    assert options["registry"].worktree == registry.path
    assert options["output"].quiet is True


def test_every_command_takes_them_and_those_of_a_group_too():
    def missing(command: click.Command) -> list[str]:
        if isinstance(command, click.Group):
            return [name for child in command.commands.values() for name in missing(child)]
        names = {name for parameter in command.params for name in parameter.opts}
        return [] if {"--registry", "--quiet"} <= names else [str(command.name)]

    context = click.Context(cli)
    commands = [cli.resolve_command(context, [name])[1] for name in cli.commands]
    assert [name for command in commands if command is not None for name in missing(command)] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "mlp/base"], ["run", "mlp/base", "--"], ["run"], ["show"], ["alias", "mlp/base:v1"], ["init"], ["get"],
        ["create"], ["shell"], ["list", "a", "b"], ["lock", "--nonsense"], ["resolve", "stray"], ["nonsense"],
        ["--registry"], ["list", "--registry"],
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
