from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from envtag.util import process
from support.story import HERE, Story, Told, mixed


@pytest.fixture
def story(make_story):
    return make_story(mixed)


def metaflow(story: Story, *arguments: str, check: int = 0, cwd: Path | None = None, **variables: str) -> Told:
    program = shutil.which("metaflow", path=str(Path(sys.executable).parent))
    assert program is not None
    done = process.run([program, *arguments], cwd=cwd or story.path, env={**story.environ, **variables}, timeout=120)
    told = Told(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
    assert told.code == check, told
    return told


def test_both_spellings_are_the_commands_of_envtag(story, tmp_path):
    shown = story.call("environment", "show", "mlp/base:v1").out
    assert metaflow(story, "environment", "show", "mlp/base:v1").out == shown
    told = metaflow(
        story, "env", "show", "mlp/base:v1", cwd=tmp_path, METAFLOW_CONDA_NAMED_ENV_REGISTRY=str(story.path)
    )
    assert told.out == shown
    assert metaflow(story, "environment", "-q", "list", "mlp/base", "--json").json[0]["name"] == "mlp/base"


def test_usage_and_errors_are_those_of_envtag(story):
    told = metaflow(story, "environment", "resolve", "--help")
    assert told.out.startswith("Usage: metaflow environment resolve")
    assert "--skip-metaflow-deps" in told.out
    assert "Error: name an environment" in metaflow(story, "env", "show", check=2).err
    told = metaflow(story, "env", "show", "mlp/bsae", check=1)
    assert "did you mean `mlp/base`" in told.err
    assert "Traceback" not in told.err
    listed = metaflow(story, "--help").out
    assert "Manage the named environments of steps" in listed
    assert "Short for `environment`" in listed


def test_what_steps_need_depends_on_metaflows_datastore(story):
    path = story.spec("requirements.txt", f"--index-url {story.index_url}\nalpha\n")
    words = ("environment", "resolve", "-r", str(path), "--platform", HERE, "--alias", "team/x:v1")
    metaflow(story, *words, METAFLOW_DEFAULT_DATASTORE="s3")
    assert story.files("team/x")["metaflow-needs.txt"].splitlines()[1:] == ["boto3>=1.14.0", "requests>=2.21.0"]
    names = {item["name"] for item in story.call("show", "team/x:v1", "--json").json[0]["packages"]}
    assert {"alpha", "boto3", "requests"} <= names


def test_metaflows_command_stays_quick_to_start():
    code = "import sys, metaflow.cmd.main_cli; print('envtag.cli' in sys.modules, 'click' in sys.modules)"
    done = process.run([sys.executable, "-c", code], check="cannot import Metaflow's command")
    assert done.text().splitlines()[-1] == "False False"
