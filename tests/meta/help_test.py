"""Help is complete, and asking for it costs nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from envtag.cli.app import cli

#: Never imported for `--help`: engines, SDKs, git libraries, and what only some commands need.
ABSENT = frozenset({
    "asyncio", "azure", "boto3", "botocore", "conda_lock", "dulwich", "git", "google", "hypothesis", "packaging",
    "platformdirs", "pygit2", "rattler", "requests", "rich", "ruamel", "tomlkit", "tomli", "tomllib", "urllib3", "uv",
    "yaml",
})  # fmt: skip
#: Beyond what `import click` brings with it: envtag's own and a few of the standard library.
EXTRA_MODULES = 45

_HELP = """\
import json, os, sys

def end(_):
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
    raise SystemExit

if sys.argv[1] == "envtag":
    os._exit = end
    from envtag.cli import main
    sys.argv = ["envtag", *sys.argv[2:]]
    main()
else:
    import click
    end(0)
"""


def _commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(("envtag", *path)), command
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _commands(child, (*path, name))


COMMANDS = dict(_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str):
    text = COMMANDS[name].help
    assert text
    first = text.strip().splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str):
    silent = [
        parameter.opts
        for parameter in COMMANDS[name].params
        if isinstance(parameter, click.Option) and not (parameter.help or "").strip()
    ]
    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_is_explained_by_its_command_or_by_envtag_itself(name: str):
    command = COMMANDS[name]
    explained = f"{command.help} {cli.help} {cli.epilog}"
    words = [_first_word(item) for item in command.params if isinstance(item, click.Argument)]
    assert [word for word in words if not re.search(rf"\b{word}\b", explained)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_shown(name: str):
    done = _run("-m", *name.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("Usage: ")
    assert done.stderr == b""


def test_help_imports_no_engine_sdk_or_git_library():
    loaded = _loaded("envtag", "--help")
    assert {name.partition(".")[0] for name in loaded} & ABSENT == set()


def test_help_imports_little_beside_click():
    extra = _loaded("envtag", "--help") - _loaded("click")
    assert len(extra) <= EXTRA_MODULES, sorted(extra)


def test_help_imports_no_verb():
    assert [name for name in _loaded("envtag", "resolve", "--help") if name.startswith("envtag.commands")] == []


def _first_word(argument: click.Argument) -> str:
    """The word by which an argument is shown (`NAME` of `[NAME]...`)."""
    found = re.search(r"[A-Z]+", argument.metavar or (argument.name or "").upper())
    assert found is not None
    return found.group()


def _loaded(*arguments: str) -> set[str]:
    done = _run("-c", _HELP, *arguments)
    return set(json.loads(done.stderr.splitlines()[-1]))


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, check=False, timeout=60)
