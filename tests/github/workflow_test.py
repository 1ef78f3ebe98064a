from __future__ import annotations

import json

import pytest

from envtag.errors import FatalError
from envtag.github.workflow import WorkflowRun
from support.pulls import pulls_server
from support.workflow import SLUG, TOKEN


def test_outputs_and_summaries_are_added_to_files_where_somebody_takes_them(tmp_path):
    run = WorkflowRun({"GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_STEP_SUMMARY": str(tmp_path / "s")})
    run.output("a", "1")
    run.output("b", "x=y")
    run.summary("# x")
    run.summary("y\n")
    assert (tmp_path / "o").read_text() == "a=1\nb=x=y\n"
    assert (tmp_path / "s").read_text() == "# x\ny\n"
    WorkflowRun({}).output("a", "1")
    WorkflowRun({}).summary("x")


@pytest.mark.parametrize("value", ["a\nb=1", "a\rb"])
def test_an_output_cannot_become_two(value):
    with pytest.raises(FatalError, match="more than one line"):
        WorkflowRun({}).output("a", value)


def test_the_event_is_read_and_must_be_an_object(tmp_path):
    path = tmp_path / "event.json"
    run = WorkflowRun({"GITHUB_EVENT_PATH": str(path)})
    with pytest.raises(FatalError, match="cannot be read"):
        run.event()
    for text, wanted in (("{", "cannot be read"), ("[]", "not an object")):
        path.write_text(text)
        with pytest.raises(FatalError, match=wanted):
            run.event()
    path.write_text(json.dumps({"a": 1}))
    assert run.event() == {"a": 1}


def test_what_is_only_there_in_a_workflow_is_said_to_be(tmp_path):
    for ask in (lambda run: run.repository, lambda run: run.event(), lambda run: run.last_success()):
        with pytest.raises(FatalError, match="is not set"):
            ask(WorkflowRun({}))
    with pytest.raises(FatalError, match="names no workflow"):
        WorkflowRun({"GITHUB_WORKFLOW_REF": "x"}).last_success()


def test_the_last_success_is_that_of_the_workflow_on_the_branch():
    with pulls_server() as server:
        environ = {
            "GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": SLUG, "GITHUB_REF_NAME": "main",
            "GITHUB_WORKFLOW_REF": f"{SLUG}/.github/workflows/publish.yml@refs/heads/main",
        }  # fmt: skip
        run = WorkflowRun(environ)
        assert run.last_success() == ""
        server.runs["publish.yml"] = ["a" * 40, "b" * 40]
        assert run.last_success() == "a" * 40
        assert WorkflowRun({**environ, "GITHUB_EVENT_NAME": "workflow_dispatch"}).last_success() == ""
        server.runs["publish.yml"] = ["--upload-pack=x"]
        assert run.last_success() == ""
