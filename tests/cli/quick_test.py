from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.cli import calls, quick
from envtag.cli.app import cli
from envtag.cli.entry import USAGE, run

WORDS = (
    "show", "create", "run", "list", "-q", "--quiet", "--registry", "somewhere", "mlp/base:v1", "--", "python", "-c",
    "--json", "--platform", "win-64", "--prefix", "./env", "--name", "mine", "--force", "--offline", "--help", "-h", "",
    "--prefix=x", "--strange",
)  # fmt: skip


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Each call that is made: of what, with the program's options and its own."""
    found: list[Any] = []
    for name in ("show", "create", "run", "unpack"):

        def record(session: Any, *, name: str = name, **options: Any) -> int:
            found.append((name, session.where, session.quiet, options))
            return 7

        monkeypatch.setattr(calls, name, record)
    return found


def by_click(argv: Sequence[str]) -> Any:
    try:
        return cli.main(list(argv), prog_name="envtag", standalone_mode=False)
    except click.ClickException:
        return USAGE


def same(argv: Sequence[str], made: list[Any]) -> bool:
    """Whether a line is read here, once it was seen that click reads it in the same way."""
    call = quick.parse(argv)
    if call is None:
        return False
    made.clear()
    assert call() == by_click(argv) == 7
    first, second = made
    assert first == second
    return True


@pytest.mark.parametrize(
    "line",
    [
        "show mlp/base", "show a b --json", "-q show a --platform win-64", "--registry somewhere --quiet show --json a",
        "create a", "create a --prefix ./env", "create --offline --force --name mine a", "run a python -c 1",
        "run --offline a -- python --offline -- x", "--registry somewhere run a -- --strange",
    ],
)  # fmt: skip
def test_plain_lines_are_read_and_mean_what_click_says(made: list[Any], line: str):
    assert same(line.split(" "), made)


@pytest.mark.parametrize(
    "line",
    [
        "", "--help", "show", "show --help", "show --json", "show a --platform", "show a --platform --json", "list",
        "create", "create a b", "create a --prefix=x", "create -- a", "create a ", "run", "run a", "run a --",
        "run --strange a b", "--registry", "-q", "publish a", "shell a", "-qx show a", "--registry= show a",
    ],
)  # fmt: skip
def test_every_other_line_is_left_to_click(line: str):
    assert quick.parse(line.split(" ")) is None


@pytest.mark.parametrize(
    "line", ["unpack FILE", "unpack --force FILE --prefix ./env", "-q unpack FILE --expect sha256:0 --prefix x"]
)
def test_a_packed_file_that_is_there_is_unpacked_as_click_says(made: list[Any], tmp_path: Path, line: str):
    (tmp_path / "a.tar").touch()
    assert same(line.replace("FILE", str(tmp_path / "a.tar")).split(" "), made)


def test_a_packed_file_that_is_not_is_clicks(tmp_path: Path):
    file = tmp_path / "a.tar"
    file.touch()
    for words in ([], [str(tmp_path)], ["absent"], [str(file), str(file)]):
        assert quick.parse(["unpack", *words]) is None


@given(st.lists(st.sampled_from(WORDS), max_size=7))
@settings(max_examples=300, deadline=None)
def test_no_line_means_anything_else_than_to_click(words: list[str]):
    with pytest.MonkeyPatch.context() as patch:
        made: list[Any] = []
        for name in ("show", "create", "run", "unpack"):

            def record(session: Any, *, name: str = name, **options: Any) -> int:
                made.append((name, session.where, session.quiet, options))
                return 7

            patch.setattr(calls, name, record)
        same(words, made)


def test_completion_is_clicks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("_ENVTAG_COMPLETE", "bash_complete")
    assert quick.parse(["show", "a"]) is None


def test_a_plain_line_loads_no_click_and_neither_does_its_error(tmp_path: Any):
    code = (
        "import sys; from envtag.cli.entry import run\n"
        f"code = run(['--registry', {str(tmp_path)!r}, 'show', 'mlp/base'])\n"
        "print(code, 'click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"
    assert done.stderr.startswith(f"error: `{tmp_path}` is neither")


def test_an_exit_code_is_passed_through(made: list[Any]):
    assert run(["show", "a"]) == 7
    assert made
