from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.conda_program import respond


def _create(channel: Path, *specs: str) -> list[str]:
    return ["create", "--dry-run", "--json", "--override-channels", "--channel", channel.as_uri(), *specs]


def test_it_runs_as_a_program_and_answers_json(conda_channel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONDA_SUBDIR", "osx-arm64")
    command = [sys.executable, "-m", "envtag.conda_program", *_create(conda_channel, "numpyish=1", "python 3.12.*")]
    done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    answer = json.loads(done.stdout)
    found = {item["name"]: item for item in answer["actions"]["FETCH"]}
    assert {"numpyish", "python", "libarch"} == set(found)
    assert found["numpyish"]["version"] == "1.0"
    assert found["numpyish"]["url"].startswith(f"{conda_channel.as_uri()}/osx-arm64/numpyish-1.0-")
    assert {item["name"] for item in answer["actions"]["LINK"]} == set(found)
    version = subprocess.run([*command[:3], "--version"], capture_output=True, check=True, text=True).stdout
    assert version.startswith("conda ")
    assert "envtag" in version


def test_no_solution_and_a_malformed_spec_are_errors_in_condas_words(conda_channel: Path, tmp_path: Path):
    variables = {"CONDA_SUBDIR": "linux-64", "ENVTAG_HOME": str(tmp_path)}
    code, answer = respond(_create(conda_channel, "alpha>=9"), {**variables, "ENVTAG_REPODATA": str(tmp_path)})
    assert (code, answer["exception_name"]) == (1, "UnsatisfiableError")
    assert "alpha >=9" in answer["message"]
    code, answer = respond(_create(conda_channel, "=="), variables)
    assert (code, answer["exception_name"]) == (1, "CondaError")
    assert answer["message"].startswith("`==` is not a conda match spec")


def test_what_conda_lock_does_not_ask_for_is_refused_by_name():
    for words in (["install", "--json"], ["create", "--yes", "alpha"], ["env", "list"]):
        code, answer = respond(words, {})
        assert code == 1
        assert f"`{words[0]}" in answer["error"]
        assert "create --dry-run" in answer["hint"]
    code, answer = respond(["create", "--quiet", "--file", "x.lock", "--yes", "--prefix", "/x"], {})
    assert (code, "envtag create NAME" in answer["hint"]) == (1, True)
    assert respond(["info", "--json"], {"CONDA_SUBDIR": "win-64"})[1]["platform"] == "win-64"
