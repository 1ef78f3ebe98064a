"""Every example of the two documents about named environments, run for real with `--environment=conda`."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.flows import Flows
from support.named import NUMPY_ENV, environment, named_environments
from support.opened import opened
from support.story import HERE, MINOR, Story

DOCUMENTS = Path(__file__).with_name("documents")
PANDAS_1 = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- pandas=1.5.0\n- numpy=1.21.5\n"
PANDAS_2 = PANDAS_1.replace("1.5.0", "2.0.0")


@pytest.fixture
def flows(make_story: Callable[..., Story], tmp_path: Path) -> Flows:
    """The documents' flows in a person's directory, beside a registry with every environment that they name."""
    place = tmp_path / "work"
    shutil.copytree(DOCUMENTS, place)
    return Flows(story=make_story(named_environments), place=place)


def run(flows: Flows, name: str, check: int = 0, **variables: str) -> str:
    told = flows.run(flows.place / name, check=check, **variables)
    return told.out + told.err


def shown(flows: Flows, *named: str) -> list[dict[str, object]]:
    words = ("--registry", str(flows.story.path), "environment", "show", *named, "--json")
    return flows.story.run(*words, cwd=flows.place, USERNAME="reader").json


def ids(flows: Flows, *pathspecs: str) -> list[object]:
    named = [word for pathspec in pathspecs for word in ("--pathspec", pathspec)]
    return [(item["request"], item["lock"]) for item in shown(flows, *named)]


def packages(item: dict[str, object]) -> set[tuple[str, str, str]]:
    return {(found["name"], found["version"], found["sha256"]) for found in item["packages"]}  # type: ignore[attr-defined]


def renamed(flows: Flows, flow: str, run_id: str) -> None:
    """Give a flow's latest run the number that the documents use."""
    before = flows.latest(flow)
    directory = flows.place / ".metaflow" / flow
    (directory / before).rename(directory / run_id)
    (directory / "latest_run").write_text(run_id)
    for path in (directory / run_id).rglob("*.json"):
        path.write_text(path.read_text("utf-8").replace(before, run_id), "utf-8")


def test_steps_run_in_what_they_or_their_flow_names(flows):
    for name in ("production_pipeline.py", "override_flow.py", "selective_flow.py", "disable_flow.py"):
        run(flows, name)
    at = f"OverrideFlow/{flows.latest('OverrideFlow')}"
    first, special, last = ids(flows, f"{at}/start", f"{at}/special_step", f"{at}/end")
    assert first == last != special


def test_steps_extend_what_their_flow_names_and_later_runs_have_the_same(flows):
    for name in ("extended_flow.py", "ml_flow.py", "hybrid_flow.py", "good_flow.py"):
        run(flows, name)
    run(flows, "flow_with_named_env.py", FLOW_PYTHON=f">={MINOR},<{MINOR.partition('.')[0]}.{int(MINOR[2:]) + 1}")
    base, train = shown(flows, "--pathspec", "MlFlow", "--pathspec", f"MlFlow/{flows.latest('MlFlow')}/train")
    assert packages(base) < packages(train)

    run(flows, "my_flow.py")
    renamed(flows, "MyFlow", "123")
    run(flows, "debug_flow.py", RUN_ID="123")
    run(flows, "reproduce_flow.py", PROD_RUN_ID="123")
    trained, debugged, reproduced = ids(flows, "MyFlow/123/train", "DebugStepsFlow", "ReproduceFlow")
    assert trained == debugged == reproduced

    told = flows.call(flows.place / "my_flow.py", "resume", "end", "--origin-run-id", "123")
    resumed = re.findall(r"run-id (\d+)", told.out + told.err)[0]
    assert resumed != "123"
    assert ids(flows, f"MyFlow/{resumed}/train") == [trained]

    words = ("--registry", str(flows.story.path), "environment")
    named = ("alias", "--pathspec", "MyFlow/123/train", "--alias", "team/my-env:v1")
    flows.story.run(*words, *named, cwd=flows.place, USERNAME="reader")
    spec = flows.story.spec("extra.txt", "itsdangerous==2.1.2\n")
    more = ("resolve", "--using-pathspec", "MyFlow/123/train", "--alias", "mlp/debug/train-plus-tools", "-r", str(spec))
    flows.story.run(*words, *more, cwd=flows.place, USERNAME="reader")
    step, kept, extended = shown(flows, "step:MyFlow/123/train", "team/my-env:v1", "mlp/debug/train-plus-tools")
    assert kept["lock"] == step["lock"]
    assert packages(step) < packages(extended)


def test_tags_that_move_are_followed_and_tags_that_do_not_are_kept(flows):
    story = flows.story
    environment(story, PANDAS_1, "team/api:v2.0.0")
    story.commit("team/api:v2.0.0")
    story.tag("team/api", "v2.0.0")
    story.call("alias", "team/api:v2.0.0", "team/api:candidate")
    assert "pandas 1.5.0" in run(flows, "dev_flow.py")
    environment(story, PANDAS_2, "team/api")
    assert "pandas 2.0.0" in run(flows, "dev_flow.py")
    assert "pandas 1.5.0" in run(flows, "test_flow.py")
    story.call("alias", "team/api:latest", "team/api:v2.1.0")
    assert "pandas 2.0.0" in run(flows, "prod_flow.py")
    assert "pandas 1.5.0" in run(flows, "version_flow.py", ENV_VERSION="v1")
    told = run(flows, "version_flow.py", check=1)
    assert "ENV_VERSION, which is not set" in told
    assert "Traceback" not in told


def test_what_cannot_be_combined_is_refused(flows):
    for kind in ("conda", "pypi"):
        told = run(flows, "bad_flow.py", check=1, KIND=kind)
        assert f"Conflicting decorators: @named_env_base cannot be combined with @{kind}_base" in told
        assert "Traceback" not in told


def test_an_environment_is_fetched_when_a_task_starts_if_that_is_asked_for(flows):
    story = flows.story
    environment(story, PANDAS_1, "prod/data-pipeline")
    spec = story.spec("moved.yml", PANDAS_2)
    resolve = f"environment resolve -f {spec} --platform {HERE} --alias prod/data-pipeline"
    told = run(flows, "dynamic_prod_flow.py", MOVE=f"{sys.executable} -I -m envtag --registry {story.path} {resolve}")
    assert "seen [('1.5.0', '2.0.0')]" in told
    told = run(flows, "dynamic_prod_flow.py")
    assert "seen [('2.0.0', '2.0.0')]" in told

    programs = os.pathsep.join([str(Path(sys.executable).parent), flows.environ["PATH"]])
    assert "built" in run(flows, "build_flow.py", BUILD="v1", PATH=programs)
    assert story.files("scratch/built")["requirements-built.txt"] == "itsdangerous==2.1.2\n"


def test_one_step_publishes_with_the_registrys_url_alone_what_the_next_one_reads(flows):
    story = flows.story
    opened(story)
    programs = os.pathsep.join([str(Path(sys.executable).parent), flows.environ["PATH"]])
    told = run(flows, "publish_flow.py", BUILD="v1", PATH=programs, ENVTAG_REGISTRY=story.bare.url)
    assert "released scratch/published:v1" in told
    assert "published" in told
    words = ("environment", "show", "--pathspec", "PublishFlow", "--json")
    (shown,) = story.run("--registry", story.bare.url, *words, cwd=flows.place, USERNAME="reader").json
    assert (shown["alias"], shown["open_branch"]) == ("scratch/published:v1", "envtag/open/scratch")
    assert not (story.path / "envs" / "scratch").exists()


def test_the_documents_commands_do_what_they_say(flows):
    """The lines of both documents, as they are written but for the version of Python."""
    story = flows.story
    minor, following = MINOR, f"3.{int(MINOR[2:]) + 1}"
    for name, text in {
        "req_numpy.txt": "numpy==1.21.5\n",
        "req2.txt": "numpy\n",
        "env_numpy.yml": "channels: [conda-forge]\ndependencies:\n- python\n- numpy=1.21.5\n",
        "env_extra.yml": "dependencies:\n- itsdangerous=2.1.2\n",
        "extra_tools.txt": "itsdangerous\n",
    }.items():
        (story.path / name).write_text(text)

    def metaflow(line: str, check: int = 0) -> str:
        told = story.run("environment", *line.split(), check=check)
        return told.out + told.err

    python = f"--python >={minor},<{following}"
    metaflow(f"resolve {python} -r req_numpy.txt --alias mlp/metaflow/conda_example/req_numpy_env")
    metaflow("resolve -f env_numpy.yml --alias mlp/ml-team/numpy-env:v1")
    metaflow(f"resolve {python} -r req_numpy.txt --alias my/env:v1")
    assert "Alias already exists" in metaflow(f"resolve {python} -r req2.txt --alias my/env:v1", check=1)
    metaflow(f"resolve {python} -r req_numpy.txt --alias my/env:latest")
    metaflow(f"resolve {python} -r req2.txt --alias my/env:latest")
    metaflow(f"resolve --using {NUMPY_ENV} --alias mlp/metaflow/conda_example/numpydanger_test_env -f env_extra.yml")
    base, danger = (
        story.call("show", name, "--json").json[0]
        for name in (NUMPY_ENV, "mlp/metaflow/conda_example/numpydanger_test_env")
    )
    assert packages(base) < packages(danger)
    text = metaflow(f"get {NUMPY_ENV}")
    assert text.splitlines()[0].startswith("DEFAULT Environment of type conda-only full hash ")
    assert f"\nLocally present as {story.config.directories.environments}/" in text
    assert "User-requested packages conda::python" in text
    by_id = metaflow(f"show {base['request']}:{base['lock']}").splitlines()
    assert [line for line in metaflow(f"show {NUMPY_ENV}").splitlines() if not line.startswith("Aliases")] == [
        line for line in by_id if not line.startswith("Aliases")
    ]
