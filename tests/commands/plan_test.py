from __future__ import annotations

import json

import pytest

from envtag.commands.plan import plan
from envtag.output import Output
from support.story import HERE, released


@pytest.fixture
def told(make_story, tmp_path, capsys):
    """Plan in a registry with one release; stdout, stderr, outputs and the page of the run."""
    story = make_story(released)

    def call(**options):
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        environ = {name: str(path) for name, path in files.items()}
        for path in files.values():
            path.write_text("")
        wanted = {"base": "", "head": "HEAD", "since_success": False, "github": False, "as_json": False, **options}
        capsys.readouterr()
        with story.registry() as registry:
            assert plan(**wanted, registry=registry, config=story.config, environ=environ, output=Output()) == 0
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        out, err = capsys.readouterr()
        return out, err, dict(line.split("=", 1) for line in lines), files["GITHUB_STEP_SUMMARY"].read_text()

    call.story = story
    return call


def test_it_is_told_in_lines(told):
    out, err, outputs, page = told()
    assert out.splitlines() == [f"store on ubuntu-latest: mlp/base for {HERE}, osx-arm64", "tag mlp/base:v1"]
    assert "no store is named" in err
    assert (outputs, page) == ({}, "")
    assert told(base="HEAD")[0] == "no environment changed: nothing to do\n"


def test_json_is_the_whole_plan(told):
    document = json.loads(told(as_json=True)[0])
    assert document["environments"] == ["mlp/base"]
    assert document["releases"] == ["mlp/base:v1"]
    assert sorted(document) == ["base", "environments", "head", "jobs", "releases", "removed", "resolve", "version"]


def test_a_workflow_is_given_a_matrix_where_there_is_a_store(told):
    told.story.repo.write({"pyproject.toml": '[tool.envtag]\nstore = "s3://b/x"\n'})
    _, err, outputs, page = told(github=True)
    assert "no store" not in err + page
    matrix = json.loads(outputs["plan"])
    assert matrix["jobs"] == [
        {
            "name": f"mlp/base ({HERE}, osx-arm64)",
            "runner": "ubuntu-latest",
            "arguments": f"--platform {HERE} --platform osx-arm64 mlp/base",
        }
    ]
    assert (outputs["base"], outputs["has_jobs"], outputs["has_environments"]) == ("", "true", "true")
    assert f"| `mlp/base` | {HERE}, osx-arm64 | `ubuntu-latest` |" in page
    assert "- `mlp/base:v1`" in page
    outputs, page = told(github=True, base="HEAD")[2:]
    assert (json.loads(outputs["plan"])["jobs"], outputs["has_jobs"], outputs["has_environments"]) == (
        [], "false", "false",
    )  # fmt: skip
    assert "No environment changed." in page


def test_nothing_is_published_to_a_store_that_ends_with_the_machine(told):
    _, _, outputs, page = told(github=True)
    assert outputs["has_jobs"] == outputs["has_environments"] == "false"
    assert "no store is named that others read" in page


def test_what_is_stale_or_gone_is_told(told):
    story = told.story
    spec = "envs/mlp/base/environment.yml"
    story.commit("edit", {spec: (story.path / spec).read_text() + "- prefixed\n"})
    out, _, _, page = told(github=True, base="HEAD~1")
    assert out.startswith("resolve mlp/base: the locks for")
    assert "To be locked again" in page
    story.repo.git("rm", "-r", "--quiet", "envs/mlp/base")
    story.commit("gone")
    out, _, _, page = told(github=True, base="HEAD~1")
    assert out == "removed mlp/base: what is released of it stays\n"
