from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from envtag import metaflow_host
from envtag.errors import AliasExistsError
from envtag.metaflow_host import VERSION, HostSession, answered, started, without_python
from envtag.prefix import creation
from envtag.util import process
from support.flows import named
from support.story import HERE, MINOR, Story, mixed

Ask = Callable[..., Any]


@pytest.fixture
def story(make_story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Story:
    found = make_story(named)
    monkeypatch.chdir(tmp_path)
    return found


def question(story: Story, *wanted: dict[str, Any], registry: str = "", **more: Any) -> dict[str, Any]:
    items = [
        {"key": f"k{number}", "steps": [f"s{number}"], "make": False, **item} for number, item in enumerate(wanted)
    ]
    return {"version": VERSION, "registry": registry or str(story.path), "wanted": items, "flow": "F", **more}


def steps(answer: dict[str, Any]) -> dict[str, Any]:
    assert "error" not in answer, answer
    return answer["steps"]


def error(answer: dict[str, Any]) -> dict[str, Any]:
    return answer["error"]


def test_a_question_of_another_version_is_refused():
    assert "another version" in error(answered({"version": 0}))["message"]


def test_an_alias_is_answered_by_its_lock(story: Story):
    found = steps(answered(question(story, {"reference": "mlp/bare:v1"})))["k0"]
    assert (found["alias"], found["platform"], found["prefix"], found["manifest"]) == ("mlp/bare:v1", HERE, "", "")
    assert found["commit"] == story.repo.git("rev-parse", "HEAD")
    (story.path / "envs" / "mlp" / "bare" / "notes.txt").write_text("changed")
    assert steps(answered(question(story, {"reference": "mlp/bare:v1"})))["k0"]["commit"] == ""


def test_an_error_names_the_steps_and_what_was_meant(story: Story):
    told = error(answered(question(story, {"reference": "mlp/bar:v1", "steps": ["train", "end"]})))
    assert told["message"].startswith("steps `train`, `end`: ")
    assert "has no environment `mlp/bar`" in told["message"]
    assert "did you mean `mlp/bare`" in told["hint"]


def test_a_platform_that_is_not_there_is_told_with_those_that_are(story: Story):
    told = error(answered(question(story, {"reference": "mlp/base:v1", "platform": "win-64"})))
    assert "step `s0`: `mlp/base:v1` is not locked for `win-64`" in told["message"]
    assert f"platforms available: `{HERE}`, `osx-arm64`" in told["hint"]


def test_what_an_environment_lacks_is_added_and_found_by_its_id(story: Story):
    needs = {"requests": ">=2.21.0"}
    found = steps(answered(question(story, {"reference": "mlp/bare:v1", "needs": needs})))["k0"]
    assert found["alias"] == ""
    again = steps(answered(question(story, {"reference": found["id"], "needs": needs})))["k0"]
    assert again["id"] == found["id"]


def test_an_id_that_only_the_store_knows_is_found(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = {"reference": "mlp/bare:v1", "needs": {"requests": ">=2.21.0"}, "share": True}
    found = steps(answered(question(story, asked)))["k0"]
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "another"))
    again = steps(answered(question(story, {"reference": found["id"]}, store=found["store"])))["k0"]
    assert (again["id"], again["platform"]) == (found["id"], HERE)
    told = error(answered(question(story, {"reference": "0" * 40 + ":" + "1" * 40}, store=found["store"])))
    assert "no environment of" in told["message"]


def test_nothing_that_brings_python_is_refused(story: Story):
    told = error(answered(question(story, {"conda": {"tzish": ""}})))
    assert "step `s0`: nothing of what is asked for brings Python" in told["message"]


def test_a_setting_of_trust_is_checked_when_it_is_read(story: Story):
    told = error(answered(question(story, {"reference": "mlp/bare:v1"}, trust=":some:")))
    assert told["message"].startswith("METAFLOW_CONDA_USE_REMOTE_LATEST is `:some:`")


def test_names_that_are_looked_up_later_are_answered_if_they_are_missing(story: Story):
    answer = answered(question(story, late=["mlp/base:v1", "mlp/base:v9"]))
    assert list(answer["missing"]) == ["mlp/base:v9"]
    assert "has no tag `v9`" in answer["missing"]["mlp/base:v9"]


def test_replicas_are_read_where_no_registry_answers_and_that_is_told_once(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    story.call("publish")
    store = story.config.directories.default_store.as_uri()
    monkeypatch.setenv("ENVTAG_HOME", str(tmp_path / "another"))
    capsys.readouterr()
    asked = question(
        story, {"reference": "mlp/bare:v1"}, {"reference": "mlp/base:v1"}, {"reference": "mlp/base:latest"},
        registry=(tmp_path / "gone.git").as_uri(), store=store,
    )  # fmt: skip
    found = steps(answered(asked))
    assert [found[f"k{number}"]["commit"] for number in range(3)] == [story.repo.git("rev-parse", "HEAD")] * 3
    told = capsys.readouterr().err
    assert told.count("read from the replicas") == 1


def test_two_launches_at_once_make_an_environment_once(story: Story, monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []
    real = creation._make

    def watched(lock: Any, *arguments: Any) -> None:
        made.append(lock.id)
        real(lock, *arguments)

    monkeypatch.setattr(creation, "_make", watched)
    asked = question(story, {"reference": "mlp/base:v1", "make": True}, {"reference": "mlp/base", "make": True})
    with ThreadPoolExecutor(2) as pool:
        answers = [steps(answer) for answer in pool.map(answered, [asked, asked])]
    assert len(made) == 1
    prefixes = {item["prefix"] for answer in answers for item in answer.values()}
    assert prefixes == {str(story.config.directories.environments / made[0])}


def test_fifty_siblings_at_once_make_an_environment_once(story: Story, monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []
    real = creation._make

    def watched(lock: Any, *arguments: Any) -> None:
        made.append(lock.id)
        real(lock, *arguments)

    monkeypatch.setattr(creation, "_make", watched)
    base = {"registry": str(story.path), "store": "", "needs": {"requests": ""}, "identity": {}}
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: started({**base, "reference": "mlp/base:v1"}, {"PATH": "/bin"}), range(50)))
    assert len(made) == 1
    assert {tuple(argv) for argv, _ in found} == {
        (str(story.config.directories.environments / made[0] / "bin" / "python"),)
    }


def test_what_a_remote_step_takes_is_in_the_store(story: Story):
    (found,) = steps(answered(question(story, {"reference": "mlp/bare:v1", "share": True}))).values()
    assert len(found["manifest"]) == 64
    assert found["store"] == story.config.directories.default_store.as_uri()


def test_a_late_task_becomes_its_python_and_knows_what_it_is(story: Story):
    base = {"registry": str(story.path), "store": "", "needs": {"requests": ""}, "identity": {"alias": "mlp/base:v1"}}
    argv, environ = started({**base, "reference": "mlp/base:v1"}, {"PATH": "/usr/bin:/bin", "KEPT": "yes"})
    done = subprocess.run(
        [*argv, "-c", "import requests, sys; print(sys.prefix)"], env=environ, capture_output=True, check=True
    )
    prefix = done.stdout.decode().strip()
    identity = json.loads(environ["_METAFLOW_ENVTAG"])
    assert identity["id"].endswith(Path(prefix).name)
    assert (identity["alias"], identity["platform"], environ["KEPT"]) == ("mlp/base:v1", HERE, "yes")
    assert environ["PATH"].split(":")[0] == f"{prefix}/bin"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"error": "step `a`: no"}, "step `a`: no"),
        ({"reference": "mlp/bare:v1"}, "`mlp/bare:v1` lacks requests, which Metaflow needs"),
        ({"reference": "mlp/base:v9"}, "has no tag `v9`"),
    ],
)
def test_a_late_task_that_cannot_start_says_why_and_fails(story: Story, more: dict[str, str], told: str):
    asked = {"registry": str(story.path), "store": "", "needs": {"requests": ""}, "identity": {}, **more}
    program = "from envtag.metaflow_host import step; step()"
    environ = {**story.environ, "_METAFLOW_ENVTAG_LATE": json.dumps(asked)}
    done = process.run([sys.executable, "-E", "-c", program, "flow.py"], env=environ)
    assert done.returncode == 1
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_settings_of_metaflow_go_before_envtags_own():
    session = HostSession(where="", store_url="file:///elsewhere")
    assert session.config.store == "file:///elsewhere"


def test_what_tells_a_python_where_to_look_goes():
    environ = {"PYTHONPATH": "/step", "PYTHONNOUSERSITE": "1", "PATH": "/bin", "_METAFLOW_ENVTAG_PYTHON": "/p"}
    without_python(environ)
    assert environ == {"PATH": "/bin", "_METAFLOW_ENVTAG_PYTHON": "/p"}


def test_a_step_that_names_nothing_needs_no_registry(tmp_path: Path, story: Story, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path.parent)
    index = {"extra_indices": [story.index_url]}
    asked = question(story, {"pypi": {"fastapi": "0.95.0"}, "python": MINOR, **index})
    found = steps(answered({**asked, "registry": ""}))["k0"]
    assert (found["alias"], found["python"]) == ("", MINOR)


def test_environments_are_named_all_or_none(make_story):
    story = make_story(mixed)
    shown = story.call("show", "mlp/base:v1", "mlp/mix:v1", "--json").json
    first, other = (f"{item['request']}:{item['lock']}" for item in shown)
    question = {"registry": str(story.path), "store": "", "steps": {"start": first, "end": other}, "dry_run": False}
    expected = {first: ["team/x/start:v1"], other: ["team/x/end:v1"]}
    assert metaflow_host.named({**question, "aliases": ["team/x:v1"], "dry_run": True}) == expected
    assert story.status() == ""
    story.call("alias", "mlp/base:v1", "team/x/end:v1")
    before = story.status()
    with pytest.raises(AliasExistsError, match="Alias already exists: `team/x/end:v1`"):
        metaflow_host.named({**question, "aliases": ["team/x:v1"]})
    assert story.status() == before
    assert metaflow_host.named({**question, "aliases": ["team/x:v2"]}) == {
        first: ["team/x/start:v2"], other: ["team/x/end:v2"],
    }  # fmt: skip
    assert story.call("show", "team/x/start:v2", "--json").json[0]["lock"] == shown[0]["lock"]
