from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.engines.conda_protocol import Call, failure, parse_call, problem_of, requirement, said_of, solution
from envtag.errors import FatalError
from envtag.platforms import virtual_packages
from support.locks import FLASK


def test_a_call_is_a_command_options_and_words():
    call = parse_call(["create", "--prefix", "/p", "--json", "--channel=a", "-c", "b", "x 1.*", "y"])
    assert call == Call(
        command="create",
        options=(("--prefix", "/p"), ("--json", ""), ("--channel", "a"), ("-c", "b")),
        arguments=("x 1.*", "y"),
    )
    assert call.values(("-c", "--channel")) == ["a", "b"]
    assert call.has("--json")
    for words in (["create", "-c"], []):
        with pytest.raises(FatalError):
            parse_call(words)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("numpy", "numpy"),
        ("numpy 1.26.* py311*", "numpy 1.26.* py311*"),
        ("numpy=1.26", "numpy 1.26.*"),
        ("numpy[version='>=1,<2',build=py311_0]", "numpy >=1,<2 py311_0"),
        ("conda-forge::numpy", "https://conda.anaconda.org/conda-forge::numpy"),
    ],
)
def test_specs_are_read_as_conda_writes_them(text: str, wanted: str):
    assert requirement(text).match_spec() == wanted


def test_conda_locks_channel_of_virtual_packages_says_what_the_machine_has(tmp_path: Path):
    record = {"name": "__cuda", "version": "12.4", "build_string": "", "package_type": "virtual_system"}
    arch = {"name": "__archspec", "version": "1", "build_string": "x86_64", "package_type": "virtual_system"}
    for subdir, packages in (("linux-64", {"a": record, "b": arch}), ("noarch", {})):
        (tmp_path / subdir).mkdir()
        (tmp_path / subdir / "repodata.json").write_text(json.dumps({"packages": packages}))
    words = ["create", "--dry-run", "-c", "https://conda.example/other", "-c", tmp_path.as_uri(), "other::click >=8"]
    problem = problem_of(parse_call(words), {"CONDA_SUBDIR": "linux-64", "CONDA_PINNED_PACKAGES": "a==1=b&c <2"})
    assert problem.virtual_packages == {"__cuda": "12.4", "__archspec": "1 x86_64"}
    assert problem.channels == ("https://conda.example/other",)
    assert problem.requirements[0].channel == "https://conda.example/other"
    assert problem.constraints == ("a==1=b", "c <2")
    plain = problem_of(parse_call(words[:4]), {"CONDA_SUBDIR": "osx-64"})
    assert plain.virtual_packages == virtual_packages("osx-64", {})
    with pytest.raises(FatalError, match="not a platform"):
        problem_of(parse_call(words), {})


def test_the_answer_has_what_conda_lock_reads():
    [fetch] = solution([FLASK])["actions"]["FETCH"]
    assert (fetch["name"], fetch["url"], fetch["md5"], fetch["sha256"]) == (
        FLASK.name, FLASK.url, FLASK.md5, FLASK.sha256,
    )  # fmt: skip
    assert fetch["fn"] == FLASK.filename
    assert json.dumps(fetch)


def test_a_failure_is_found_again_in_what_conda_lock_prints_of_it():
    said = failure(FatalError("no", "do this", "because"), "UnsatisfiableError")
    text = f"Could not lock\n    Command: ['x', '{{']\n    STDOUT:\n{json.dumps(said)}\n\n    STDERR:\n{{"
    assert said_of(text) == said
    assert said["message"] == "no\nbecause\nhint: do this"
    assert said_of("STDOUT:\n{ not json") == said_of("nothing") == {}
