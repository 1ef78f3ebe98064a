"""What it takes to run a program in a prefix: variables and activation scripts, read without any engine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envtag.errors import FatalError
from envtag.prefix import layout

SHELL_FILE = Path("conda-meta", "envtag.bash")
_UNSET = "***unset***"
_FOREIGN = (
    "PYTHONHOME",
    "__PYVENV_LAUNCHER__",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_PROMPT_MODIFIER",
    "CONDA_SHLVL",
)


def activated(prefix: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that runs in a prefix.

    Variables that packages declare (`etc/conda/env_vars.d/*.json`, in order) come first, then those of the
    environment itself (`conda-meta/state`). Those of another active environment go; `PYTHONPATH` stays.

    Args:
        prefix: A whole prefix.
        environ: The environment to start from; not changed.

    Raises:
        FatalError: A file of variables is malformed.
    """
    venv = layout.is_venv(prefix)
    changed = {name: value for name, value in environ.items() if name not in _FOREIGN}
    entries = [str(entry) for entry in layout.path_entries(prefix, venv=venv)]
    before = [entry for entry in changed.get("PATH", os.defpath).split(os.pathsep) if entry not in entries]
    changed["PATH"] = os.pathsep.join([*entries, *before])
    if venv:
        changed["VIRTUAL_ENV"] = str(prefix)
    else:
        changed["CONDA_PREFIX"] = str(prefix)
        changed["CONDA_DEFAULT_ENV"] = str(prefix)
        changed["CONDA_SHLVL"] = "1"
    for name, value in _variables(prefix).items():
        if value == _UNSET:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed


def wrap(prefix: Path, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` after the prefix's activation scripts, or `argv` itself if it has none.

    Scripts are sourced by bash if there is one, by sh otherwise. On Windows none are run.

    Args:
        prefix: A whole prefix.
        argv: The program and its arguments.
    """
    scripts = _scripts(prefix)
    if not scripts:
        return list(argv)
    import shlex
    import shutil

    sourced = "".join(f". {shlex.quote(str(script))}; " for script in scripts)
    return [shutil.which("bash") or "/bin/sh", "-c", f'{sourced}exec "$@"', "envtag", *argv]


def shell_argv(prefix: Path, label: str) -> list[str]:
    """The command of an interactive shell in a prefix, with a label in its prompt where the shell lets it.

    It is the user's shell (`SHELL`). bash starts from the user's own settings and then the prefix's; other shells
    get the prefix's scripts, and a prompt that their own settings may replace.

    Args:
        prefix: A whole prefix.
        label: What the prompt calls the environment.
    """
    if os.name == "nt":
        return [os.environ.get("COMSPEC", "cmd.exe")]
    shell = os.environ.get("SHELL") or "/bin/sh"
    if Path(shell).name == "bash":
        return ["env", f"ENVTAG_PROMPT={label}", shell, "--rcfile", str(prefix / SHELL_FILE), "-i"]
    return wrap(prefix, ["env", f"PS1=({label}) $ ", shell, "-i"])


def write_shell_file(prefix: Path, target: Path) -> None:
    """Write what an interactive bash reads: the user's settings, then the activation, then the prompt.

    Args:
        prefix: The prefix as it is being built.
        target: The path that it will have.
    """
    import shlex

    entries = ":".join(shlex.quote(str(entry)) for entry in layout.path_entries(target, venv=layout.is_venv(prefix)))
    sourced = [f". {shlex.quote(str(target / script.relative_to(prefix)))}" for script in _scripts(prefix)]
    lines = [
        "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi",
        f'PATH={entries}:"$PATH"',
        "export PATH",
        "hash -r",
        *sourced,
        'PS1="($ENVTAG_PROMPT) $PS1"',
    ]
    path = prefix / SHELL_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _scripts(prefix: Path) -> list[Path]:
    return [] if os.name == "nt" else sorted((prefix / "etc" / "conda" / "activate.d").glob("*.sh"))


def _variables(prefix: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((prefix / "etc" / "conda" / "env_vars.d").glob("*.json")):
        found.update(_strings(path, _read(path)))
    state = prefix / "conda-meta" / "state"
    if state.is_file():
        document = _read(state)
        found.update(_strings(state, document.get("env_vars", {}) if isinstance(document, dict) else document))
    return found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise FatalError(f"`{path}` is not JSON: {error}") from error


def _strings(path: Path, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise FatalError(f"`{path}` does not map variables to text")
    return value
