from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.prefix import activation
from envtag.prefix.activation import activated, shell_argv, wrap
from envtag.prefix.creation import hydrate
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_package, make_lock

posix = pytest.mark.skipif(os.name == "nt", reason="activation scripts are run on POSIX only")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    made = tmp_path / "the prefix"
    (made / "conda-meta").mkdir(parents=True)
    return made


def declare(prefix: Path, name: str, variables: Any) -> None:
    path = prefix / "etc" / "conda" / "env_vars.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(variables))


def add_script(prefix: Path, name: str, text: str) -> None:
    path = prefix / "etc" / "conda" / "activate.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(argv: list[str], environ: dict[str, str]) -> str:
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stdout


@posix
def test_the_prefixs_programs_come_first_and_only_once(prefix: Path):
    before = f"/one:{prefix}/bin:/two"
    environ = activated(prefix, {"PATH": before, "KEEP": "me"})
    assert environ["PATH"] == f"{prefix}/bin:/one:/two"
    assert environ["KEEP"] == "me"
    assert activated(prefix, environ)["PATH"] == environ["PATH"]


def test_a_conda_prefix_takes_the_place_of_another_environment(prefix: Path):
    environ = activated(
        prefix, {"VIRTUAL_ENV": "/other", "CONDA_PREFIX": "/old", "PYTHONHOME": "/x", "PYTHONPATH": "/y"}
    )
    assert environ["CONDA_PREFIX"] == environ["CONDA_DEFAULT_ENV"] == str(prefix)
    assert "VIRTUAL_ENV" not in environ
    assert "PYTHONHOME" not in environ
    assert environ["PYTHONPATH"] == "/y"


def test_a_venv_takes_the_place_of_another_environment(prefix: Path):
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")
    environ = activated(prefix, {"CONDA_PREFIX": "/old", "CONDA_DEFAULT_ENV": "old", "CONDA_SHLVL": "2"})
    assert environ["VIRTUAL_ENV"] == str(prefix)
    assert not [name for name in environ if name.startswith("CONDA_")]


def test_declared_variables_are_set_in_order_and_the_environments_own_win(prefix: Path):
    declare(prefix, "a.json", {"A": "from a", "B": "from a", "C": "from a"})
    declare(prefix, "b.json", {"B": "from b", "C": "from b"})
    state = {"version": 1, "env_vars": {"C": "its own", "GONE": "***unset***"}}
    (prefix / "conda-meta" / "state").write_text(json.dumps(state))
    environ = activated(prefix, {"GONE": "x"})
    assert [environ.get(name) for name in ("A", "B", "C", "GONE")] == ["from a", "from b", "its own", None]


@pytest.mark.parametrize("variables", [["A"], {"A": 1}, "A"])
def test_variables_that_are_not_text_are_an_error_that_names_the_file(prefix: Path, variables):
    declare(prefix, "a.json", variables)
    with pytest.raises(FatalError, match=r"a\.json` does not map variables to text"):
        activated(prefix, {})


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_damaged_state_is_an_error_that_names_the_file(prefix: Path, text):
    (prefix / "conda-meta" / "state").write_text(text)
    with pytest.raises(FatalError, match="conda-meta/state` "):
        activated(prefix, {})


def test_without_scripts_the_command_is_run_as_it_is(prefix: Path):
    assert wrap(prefix, ["python", "-c", "x"]) == ["python", "-c", "x"]


@posix
def test_scripts_are_sourced_in_order_before_the_command(prefix: Path):
    add_script(prefix, "1.sh", "export ORDER=one\n")
    add_script(prefix, "2.sh", 'export ORDER="$ORDER two $CONDA_PREFIX"\n')
    add_script(prefix, "other.csh", "setenv ORDER csh\n")
    environ = activated(prefix, {"PATH": os.environ["PATH"]})
    argv = wrap(prefix, ["sh", "-c", 'echo "$ORDER" "$@"', "name", "a b", "$HOME", "'"])
    assert run(argv, environ) == f"one two {prefix} a b $HOME '\n"


@posix
def test_the_commands_exit_code_is_passed_through(prefix: Path):
    add_script(prefix, "1.sh", "true\n")
    argv = wrap(prefix, ["sh", "-c", "exit 7"])
    assert subprocess.run(argv, env=activated(prefix, os.environ), check=False).returncode == 7


@posix
def test_a_real_package_activates(client: Any, conda_channel: Path, tmp_path: Path):
    target = tmp_path / "root" / "env"
    mirrors = Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}")
    config = type(client.config)(directories=client.config.directories, mirrors=mirrors)
    lock = make_lock([conda_package(conda_channel, "activating")], python="")
    hydrate(lock, target, store=None, config=config, offline=False, output=Output())
    environ = activated(target, os.environ)
    out = run(wrap(target, ["sh", "-c", 'echo "$ACTIVATING|$ACTIVATING_VARIABLE|$PATH"']), environ)
    first, second, path = out.strip().split("|")
    assert (first, second) == (f"from {target}", "a value with = and blanks")
    assert path.startswith(f"{target}/bin:")
    assert path.endswith(":/activating")


@posix
def test_an_interactive_bash_has_the_label_the_users_settings_and_the_prefix_first(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "a home"
    home.mkdir()
    (home / ".bashrc").write_text("PATH=/users:$PATH\nPS1='mine> '\n")
    add_script(prefix, "1.sh", "export SOURCED=yes\n")
    activation.write_shell_file(prefix, prefix)
    monkeypatch.setenv("SHELL", "/bin/bash")
    argv = shell_argv(prefix, "mlp/base:v5")
    environ = {**activated(prefix, os.environ), "HOME": str(home)}
    out = run([*argv, "-c", 'echo "$PS1|$PATH|$SOURCED"'], environ)
    prompt, path, sourced = out.strip().split("|")
    assert prompt == "(mlp/base:v5) mine> "
    assert path.startswith(f"{prefix}/bin:/users:")
    assert sourced == "yes"


@posix
def test_another_shell_gets_the_scripts_and_a_prompt(prefix: Path, monkeypatch: pytest.MonkeyPatch):
    add_script(prefix, "1.sh", "export SOURCED=yes\n")
    monkeypatch.setenv("SHELL", "/bin/sh")
    argv = shell_argv(prefix, "base:v5")
    out = run([*argv, "-c", 'echo "$PS1|$SOURCED"'], activated(prefix, os.environ))
    assert out == "(base:v5) $ |yes\n"
