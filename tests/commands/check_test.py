from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from envtag.checking import RULES
from envtag.names import Alias
from envtag.store import keys, open_store
from support.checks import edit_text
from support.story import HERE, Story, released

EVIL = "x\n::error file=a::owned\r\n##[error]owned <script>@team [x](https://e.org) \u202e"


@pytest.fixture
def registry(make_story) -> Story:
    """`released`, on a branch with a comment in a spec."""
    story: Story = make_story(released)
    story.repo.git("checkout", "--quiet", "-b", "topic")
    edit_text(story, "envs/mlp/base/environment.yml", "# The base.", "# The base of all.")
    return story


def test_warnings_are_told_and_do_not_fail_unless_they_shall(registry: Story):
    told = registry.run("check")
    assert told.out.startswith("warning: no environment has an owner")
    assert told.out.endswith("\n1 warning\n")
    registry.run("check", "--strict", check=1)
    assert registry.run("check", "--json").json["ok"] is True
    assert registry.run("check", "--json", "--strict", check=1).json["ok"] is False


def test_an_error_fails(registry: Story):
    edit_text(registry, "envs/mlp/base/environment.yml", "alpha 1.0", "alpha 2.0")
    told = registry.run("check", check=1)
    assert "[lock-fresh]" in told.out
    assert "hint: lock it again: `envtag lock mlp/base`" in told.out


def test_another_base_may_be_named(registry: Story):
    assert registry.run("check", "--base", "HEAD").out != "nothing found\n"
    registry.repo.commit(message="a comment")
    assert registry.run("check", "--base", "HEAD").out == "nothing found\n"
    assert registry.run("check", "--base", "gone", check=1).err.startswith("error: there is no revision `gone` here")


def test_all_of_them_may_be_checked(registry: Story):
    edit_text(registry, "envs/mlp/base/environment.yml", "# The base of all.", "# The base.")
    assert registry.run("check").out == "nothing found\n"
    assert "no environment has an owner" in registry.run("check", "--all").out


def test_a_store_may_be_named(registry: Story):
    store = open_store((registry.place / "store").as_uri())
    key = keys.tag_key(Alias(name="mlp/base", tag="v1"))
    store.create(key, b"{}", hashlib.sha256(b"{}").hexdigest())
    told = registry.run("check", "--store", store.url, check=1)
    assert "[replica-matches-tag]" in told.out
    registry.run("check", "--store", "nonsense", check=1)


def test_names_of_strangers_are_no_commands_in_any_format(registry: Story):
    shutil.copytree(registry.path / "envs/mlp/base", registry.path / "envs/mlp" / EVIL.replace("/", "|"))
    (registry.path / "envs/mlp/base" / os.fsdecode(b"caf\xe9\n::error::x")).write_text("https://me:secret@e.org\n")
    edit_text(registry, f"envs/mlp/base/{HERE}-lock.yml", "name: alpha\n", f"name: {json.dumps(EVIL)}\n")
    for shape in ("--github", "--sarif", "--json", ""):
        out = registry.run("check", *([shape] if shape else []), check=1).out
        lines = out.splitlines()
        assert out.isascii()
        assert "##[" not in out
        mine = ("::error ", "::warning ", "::notice ") if shape == "--github" else ()
        commands = [line for line in lines if line.lstrip().startswith("::")]
        assert all(line.startswith(mine) and ",title=envtag " in line for line in commands if mine)
        assert bool(commands) is bool(mine)


def test_sarif_holds_every_rule(registry: Story):
    log = registry.run("check", "--sarif").json
    assert [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]] == list(RULES)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("codeowners-cover", "warning")


def test_json_says_where_it_is(registry: Story):
    edit_text(registry, "envs/mlp/base/tags.yml", "pointers: {}", "pointers:\n  stable: v1")
    (finding,) = [
        item for item in registry.run("check", "--json", check=1).json["findings"] if item["severity"] == "error"
    ]
    assert finding == {
        "rule": "pointer-released",
        "severity": "error",
        "message": "`mlp/base:stable` points at `v1`, which is not published",
        "hint": "publish it first (`envtag publish`), then point at it in a change of its own",
        "path": "envs/mlp/base/tags.yml",
        "line": 5,
        "environment": "mlp/base",
    }
