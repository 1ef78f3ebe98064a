from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envtag import config
from envtag.commands.doctor import doctor
from envtag.commands.hook import install
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.github import connect
from envtag.output import Output
from envtag.registry import open_registry
from envtag.rulesets import default_branch, immutable_tags
from envtag.store import open_store
from support.github import ADMIN, GitHub, github_server
from support.repository import GitRepo


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as server:
        yield server


@pytest.fixture
def work(git_repo) -> GitRepo:
    repo, bare = git_repo("work"), git_repo("server", bare=True)
    repo.commit({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    repo.git("remote", "add", "origin", bare.url)
    repo.git("push", "--quiet", "origin", "main")
    return repo


@pytest.fixture
def ask(work: GitRepo, tmp_path: Path, github: GitHub, capsys) -> Callable[..., tuple[int, dict[str, list[str]]]]:
    """Run the doctor; its exit code, and the messages of each severity."""

    def call(**changes: object) -> tuple[int, dict[str, list[str]]]:
        options: dict[str, object] = {
            "config": config.load,
            "registry": lambda: open_registry(str(work.path), work.path, config.load()),
            "store": lambda: open_store((tmp_path / "store").as_uri()),
            "github": lambda slug: connect(slug, github.environ(ADMIN)),
            "metaflow": list,
            "slug": "", "probe": False, "strict": False, "as_json": True, "environ": os.environ, "output": Output(),
        }  # fmt: skip
        code = doctor(**{**options, **changes})
        found = json.loads(capsys.readouterr().out)["findings"]
        said: dict[str, list[str]] = {"error": [], "warning": [], "note": []}
        for item in found:
            said[item["severity"]].append(f"{item['rule']}: {item['message']}")
        return code, said

    return call


def fails() -> object:
    raise FatalError("it is broken", "mend it")


def test_all_that_is_well_is_said(ask, tmp_path):
    install(tmp_path / "server", force=False, output=Output(quiet=True))
    code, said = ask()
    assert code == 0
    assert said["error"] == []
    assert {text.partition(":")[0] for text in said["note"]} >= {
        "git", "engine-conda", "engine-pypi", "config-file", "registry", "remote", "store", "tags-guarded",
    }  # fmt: skip


def test_what_is_wrong_with_metaflow_is_told_too(ask):
    wrong = Finding(rule="metaflow", severity="error", message="another extension claims names", hint="remove it")
    code, said = ask(metaflow=lambda: [wrong])
    assert code == 1
    assert "metaflow: another extension claims names" in said["error"]


def test_strict_makes_warnings_count(ask):
    code, said = ask(strict=True)
    assert said["error"] == []
    assert code == 1


def test_a_plain_server_is_not_known_to_guard_anything(ask):
    code, said = ask()
    assert code == 0
    (text,) = (text for text in said["warning"] if text.startswith("tags-guarded"))
    assert "cannot be seen from here" in text


def test_a_plain_server_is_found_out_when_it_is_tried(ask, tmp_path):
    code, said = ask(probe=True)
    assert (code, len(said["error"])) == (1, 3)
    install(tmp_path / "server", force=False, output=Output(quiet=True))
    code, said = ask(probe=True)
    assert (code, said["error"]) == (0, [])


@pytest.mark.parametrize(("part", "rule"), [("config", "config-file"), ("registry", "registry"), ("store", "store")])
def test_what_is_broken_is_an_error_and_the_rest_is_asked(ask, part, rule):
    code, said = ask(**{part: fails})
    assert code == 1
    assert said["error"] == [f"{rule}: it is broken"]
    assert any(text.startswith("git:") for text in said["note"])


def test_a_registry_without_a_remote_has_no_server_to_ask_about(ask, work):
    work.git("remote", "remove", "origin")
    for probe in (False, True):
        code, said = ask(probe=probe)
        assert code == 0
        assert [text for text in said["warning"] if text.startswith("remote")]


def test_several_remotes_are_said_once(ask, work):
    work.git("remote", "rename", "origin", "one")
    work.git("remote", "add", "two", "https://example.org/x")
    code, said = ask()
    assert (code, len(said["error"])) == (1, 1)


def test_github_is_asked_where_it_is_named(ask, github):
    code, said = ask(slug="team/envs")
    assert code == 1
    assert {text.partition(":")[0] for text in said["error"]} == {"tags-guarded", "branch-guarded"}
    github.add(immutable_tags())
    github.add(default_branch())
    assert ask(slug="team/envs")[0] == 0


def test_github_is_asked_where_the_remote_is(ask, work, github):
    work.git("remote", "set-url", "origin", "https://github.com/team/envs")
    code, said = ask(store=fails)
    assert code == 1
    assert any(text.startswith("branch-guarded") for text in said["error"])
    assert github.requests


def test_a_name_that_is_none_is_an_error_like_others(ask):
    code, said = ask(slug="nonsense")
    assert code == 1
    assert said["error"] == ["github: `nonsense` is not a repository on GitHub"]


def test_a_missing_library_stops_what_needs_it(ask, monkeypatch):
    from importlib import metadata

    real = metadata.version

    def version(name: str) -> str:
        if name == "boto3":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    code, said = ask(store=lambda: open_store("s3://bucket"))
    assert code == 1
    assert said["error"] == ["store-sdk: the store s3://bucket needs `boto3`, which is not installed"]


def test_people_are_shown_text(work, tmp_path, capsys):
    code = doctor(
        config=config.load, registry=lambda: open_registry(str(work.path), work.path, config.load()),
        store=lambda: open_store((tmp_path / "store").as_uri()), github=lambda _: fails(), metaflow=list, slug="",
        probe=False, strict=False, as_json=False, environ=os.environ, output=Output(),
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert code == 0
    assert "[store-overwrite]\n  hint: " in shown
    assert shown.rstrip().splitlines()[-1].startswith("2 warnings, ")
