from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from envtag.cli.entry import NO, OK, USAGE, run
from envtag.server_hook import script
from support.github import ADMIN, github_server
from support.repository import GitRepo


@pytest.fixture
def verbs(monkeypatch) -> dict[str, Any]:
    """What each verb was called with; it answers 7."""
    calls: dict[str, Any] = {}
    for target in ("protect.protect", "doctor.doctor", "hook.install", "hook.print_hook"):
        module, _, name = target.partition(".")

        def record(*args: Any, name: str = name, **options: Any) -> int:
            calls[name] = (args, options)
            return 7

        monkeypatch.setattr(importlib.import_module(f"envtag.commands.{module}"), name, record)
    return calls


@pytest.mark.parametrize("options", [[], ["--apply"], ["--json"]])
def test_protect_is_given_the_repository_and_what_to_do(verbs, monkeypatch, options):
    monkeypatch.setenv("GH_TOKEN", ADMIN)
    assert run(["protect", "--github", "team/envs", *options]) == 7
    (repository,), given = verbs["protect"]
    assert (repository.slug, repository.api.token) == ("team/envs", ADMIN)
    assert (given["apply"], given["as_json"]) == ("--apply" in options, "--json" in options)


def test_doctor_needs_nothing(verbs):
    assert run(["doctor"]) == 7
    _, given = verbs["doctor"]
    assert (given["slug"], given["probe"], given["strict"], given["as_json"]) == ("", False, False, False)
    assert given["registry"]().worktree == Path.cwd()


def test_doctor_is_told_more(verbs):
    assert run(["doctor", "--github", "team/envs", "--probe", "--strict", "--json"]) == 7
    _, given = verbs["doctor"]
    assert (given["slug"], given["probe"], given["strict"], given["as_json"]) == ("team/envs", True, True, True)


def test_hook_takes_the_working_directory_or_another(verbs):
    assert run(["hook", "install"]) == 7
    assert verbs["install"][0] == (Path(),)
    assert run(["hook", "install", "--repo", "srv/envs.git", "--force"]) == 7
    assert verbs["install"][0] == (Path("srv/envs.git"),)
    assert verbs["install"][1]["force"] is True


@pytest.mark.parametrize(
    "words",
    [
        ["protect"],
        ["protect", "--github"],
        ["hook", "print"],
        ["hook", "print", "x"],
        ["hook", "nonsense"],
        ["doctor", "x"],
    ],
)
def test_wrong_usage_calls_nothing(verbs, words, capsys):
    assert run(words) == USAGE
    assert verbs == {}
    assert "Error: " in capsys.readouterr().err


def test_a_hook_is_printed_to_stdout(capsys):
    assert run(["hook", "print", "pre-receive"]) == OK
    assert capsys.readouterr().out == script("pre-receive")


def test_a_hook_is_installed_where_it_is_told(tmp_path, capsys):
    bare = GitRepo.create(tmp_path / "server", bare=True)
    assert run(["hook", "install", "--repo", str(bare.path)]) == OK
    assert (bare.path / "hooks" / "update").read_text() == script("update")
    assert run(["hook", "install"]) == NO
    assert "is not a bare repository" in capsys.readouterr().err


def test_protect_asks_over_http_and_never_shows_the_token(run_envtag, registry):
    with github_server() as github:
        ask = ("protect", "--github", "team/envs", "--json")
        done = run_envtag(*ask, cwd=registry.path, env=github.environ(ADMIN), check=NO)
        assert json.loads(done.stdout)["counts"]["error"] == 2
        refused = run_envtag(*ask, cwd=registry.path, env=github.environ("ghp_old"), check=NO)
        assert b"GitHub does not know the token" in refused.stderr
        assert b"ghp_" not in done.stdout + done.stderr + refused.stdout + refused.stderr
        run_envtag(*ask, "--apply", cwd=registry.path, env=github.environ(ADMIN), check=OK)
