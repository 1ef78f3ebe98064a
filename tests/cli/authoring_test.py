from __future__ import annotations

from pathlib import Path

import pytest

from envtag.cli.entry import run
from support.commands import options_of


def test_every_option_of_resolve_reaches_the_verb(called, tmp_path):
    given = {
        "-r": "a.txt", "-f": "b.yml", "-p": "c.toml", "--python": "3.12", "--platform": "win-64",
        "--channel": "bioconda", "--index-url": "https://one.example/simple", "--extra-index-url": "https://two.example/simple",
        "--alias": "mlp/base:v1", "--exclude-newer": "2026-01-01", "--using": "mlp/other:v1",
        "--extra": "gpu", "--group": "dev", "--engine": "pip-tools",
        "--variant": "linux-64-cuda12=own/cuda.txt",
        "--dry-run": None, "--force": None, "--json": None,
    }  # fmt: skip
    assert options_of("resolve") == {*given, "--engine", "--extra", "--from", "--group"}
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
    assert (tuple(wanted.extras), tuple(wanted.groups), tuple(wanted.engines)) == (("gpu",), ("dev",), ("pip-tools",))
    assert list(wanted.variants) == [("linux-64-cuda12", Path("own/cuda.txt"))]
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
        ("lock", ["--upgrade"], ((), {"check": False, "upgrade": True})),
        ("lock", ["a", "--engine", "uv", "--engine", "rattler"], (("a",), {"engines": ("uv", "rattler")})),
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
    assert run(["alias", "mlp/base", "mlp/base:stable"]) == 7
    (found, target), _ = called["alias"]
    assert (found.environment.name, target) == ("mlp/base", "mlp/base:stable")


def test_the_options_of_init_for_github_reach_the_verb_and_take_each_other(called):
    assert run(["init", "new", "--github", "--owner", "@a/b", "--force"]) == 7
    options = called["init"][1]
    assert (options["github"], options["owner"], options["force"]) == (True, "@a/b", True)
    assert run(["init", "new", "--owner", "@a/b"]) == 2
    assert run(["init", "new", "--force"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["lock", "a", "--check", "--engine", "uv"],
        ["lock", "--engine", "uv"],
        ["resolve", "--variant", "linux-64-cuda12"],
        ["resolve", "--variant", "=cuda.txt"],
        ["resolve", "--from", "a:v1", "--platform", "win-64", "--variant", "linux-64-cuda12=a.txt"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(called, words):
    assert run(words) == 2
    assert called == {}
