"""What README and docs promise exists: links lead somewhere, and each shown command is one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from support.source import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    broken = []
    for target in _LINK.findall(_prose(page.read_text("utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        if not linked.exists() or (anchor and anchor not in _anchors(linked)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shown_commands_are_commands(page: Path):
    mistakes = [_mistake(words) for words in _commands(page.read_text("utf-8"))]
    assert [text for text in mistakes if text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_passing_are_commands(page: Path):
    mistakes = [_mistake(words, whole=False) for words in _named_commands(page.read_text("utf-8"))]
    assert [text for text in mistakes if text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shown_json_is_json(page: Path):
    for kind, body in _FENCE.findall(page.read_text("utf-8")):
        if kind == "json":
            json.loads(body)


def test_each_policy_of_the_store_allows_or_denies_known_parts_of_it():
    from envtag.store import keys

    known = {
        prefix.partition("/")[0] for prefix in vars(keys).values() if isinstance(prefix, str) and prefix[-1:] == "/"
    }
    policies = [
        json.loads(body) for kind, body in _FENCE.findall((ROOT / "docs/storage.md").read_text()) if kind == "json"
    ]
    statements = [item for policy in policies for item in policy.get("Statement", ())]
    assert {item["Effect"] for item in statements} == {"Allow", "Deny"}
    named = {part for item in statements for part in re.findall(r"PREFIX/(\w+)/\*", json.dumps(item))}
    assert named == known


def test_the_readme_shows_commands():
    assert any(True for _ in _commands((ROOT / "README.md").read_text("utf-8")))


@pytest.mark.parametrize("line", ["envtag no-such-verb", "envtag show --no-such-option x", "envtag why"])
def test_a_wrong_command_is_found(line: str):
    (words,) = _commands(f"```console\n$ {line}\n```\n")
    assert _mistake(words).startswith(f"{line}: ")


def test_continued_piped_and_commented_lines_are_read():
    text = "```console\n$ A=b envtag show \\\n    x:v1 --json | head -3  # says much\noutput\n$ git push\n```\n"
    assert list(_commands(text)) == [["envtag", "show", "x:v1", "--json"]]


def _prose(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands(text: str) -> Iterator[list[str]]:
    """The words of each `$ envtag …` line in a console block, without assignments before and pipes after."""
    for kind, body in _FENCE.findall(text):
        if kind != "console":
            continue
        for line in body.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield from _envtag_words(line[2:])


def _named_commands(text: str) -> Iterator[list[str]]:
    """The words of each `envtag …` in the running text, whose arguments may be left out."""
    for code in re.findall(r"`((?:envtag|metaflow env\w*) [^`\n]*)`", _FENCE.sub("", text)):
        yield from _envtag_words(code.replace("…", ""))


def _envtag_words(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, "|"]:
        if word[0] not in "|&;<>()":
            words.append(word)
            continue
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if words[:2] in (["metaflow", "environment"], ["metaflow", "env"]):
            words[:2] = ["envtag", "environment"]
        if words[:1] == ["envtag"]:
            yield words
        words = []


def _mistake(words: list[str], *, whole: bool = True) -> str:
    """What click has against a command line, or an empty string; unless it is whole, arguments may be missing."""
    try:
        _parse(words)
    except click.MissingParameter as error:
        return f"{shlex.join(words)}: {error.format_message()}" if whole else ""
    except click.ClickException as error:
        return f"{shlex.join(words)}: {error.format_message()}"
    return ""


def _parse(words: list[str]) -> None:
    """Parse a command line as click would, without running it."""
    from envtag.cli.app import cli

    command: click.Command = cli
    arguments = words[1:]
    context: click.Context | None = None
    try:
        while True:
            context = command.make_context(words[0], arguments, parent=context)
            if not isinstance(command, click.Group):
                return
            rest = [*_protected(context), *context.args]
            _, found, arguments = command.resolve_command(context, rest)
            assert found is not None
            command = found
    except click.exceptions.Exit:
        return  # --help, --version


def _protected(context: click.Context) -> list[str]:
    return list(context._protected_args if hasattr(context, "_protected_args") else context.protected_args)
