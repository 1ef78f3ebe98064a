from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import metaflow  # noqa: F401 - first: it imports its extensions
import pytest

from metaflow_extensions.envtag.plugins.envtag_env.environment import CondaEnvironment, remote_platform
from support.flows import Flows, named
from support.story import HERE, Story, Told

MANY = """
import json
from metaflow import FlowSpec, Parameter, conda, named_env, named_env_base, pypi, step

def tell(step):
    import os, sys
    found = {"step": step, "prefix": sys.prefix, "path": os.environ["PATH"].split(os.pathsep)[0]}
    found["variable"] = os.environ["_METAFLOW_ENVTAG"]
    for name in ("numpy", "pandas", "fastapi", "xgboost"):
        try:
            found[name] = __import__(name).__version__
        except ImportError:
            pass
    print("TOLD", json.dumps(found))

@named_env_base(name="mlp/base:@{TAG}")
class ManyFlow(FlowSpec):
    release = Parameter("release", default="v1")

    @step
    def start(self):
        tell("start")
        self.next(self.more)

    @conda(libraries={"pandas": "1.5.0"})
    @pypi(packages={"fastapi": "0.95.0"})
    @step
    def more(self):
        tell("more")
        self.next(self.bare)

    @named_env(name="mlp/bare:v1")
    @step
    def bare(self):
        tell("bare")
        self.numbers = [1, 2]
        self.next(self.late, foreach="numbers")

    @named_env(name="mlp/base:@{METAFLOW_INIT_RELEASE}", fetch_at_exec=True)
    @step
    def late(self):
        tell("late")
        self.next(self.outside)

    @named_env(disabled=True)
    @step
    def outside(self, inputs):
        tell("outside")
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    ManyFlow()
"""

AGAIN = """
from metaflow import FlowSpec, named_env, step

class AgainFlow(FlowSpec):
    @named_env(pathspec="ManyFlow/@{RUN}/more")
    @step
    def start(self):
        import fastapi, pandas
        self.next(self.each)

    @named_env(pathspec="ManyFlow/@{RUN}/late")
    @step
    def each(self):
        self.next(self.end)

    @named_env(pathspec="ManyFlow", fetch_at_exec=True)
    @step
    def end(self):
        import numpy
        assert numpy.__version__ == "1.21.5"

if __name__ == "__main__":
    AgainFlow()
"""


@pytest.fixture
def flows(make_story: Callable[..., Story], tmp_path: Path) -> Flows:
    story = make_story(named)
    return Flows(story=story, place=tmp_path / "flows")


def lines_of(told: Told) -> dict[str, Any]:
    """What the steps of a run told, by step."""
    import json

    lines = [json.loads(line.split("TOLD ", 1)[1]) for line in told.out.splitlines() if "TOLD " in line]
    return {line["step"]: line for line in lines}


def ids_of(story: Story, name: str) -> tuple[str, str]:
    with story.registry() as registry:
        lock = registry.environment(name).lock(HERE)
    return f"{lock.request}:{lock.id}", str(story.config.directories.environments / lock.id)


def test_steps_run_in_what_they_name_add_to_and_fetch(flows: Flows):
    told = lines_of(flows.run(flows.write("many.py", MANY), TAG="v1"))
    base, prefix = ids_of(flows.story, "mlp/base")
    assert (told["start"]["numpy"], told["start"]["prefix"]) == ("1.21.5", prefix)
    assert told["start"]["path"] == f"{prefix}/bin"
    assert (told["more"]["numpy"], told["more"]["pandas"], told["more"]["fastapi"]) == ("1.21.5", "1.5.0", "0.95.0")
    assert told["bare"]["numpy"] == "1.24.0"
    assert told["late"]["prefix"] == prefix
    assert (told["outside"]["variable"], "numpy" in told["outside"]) == ("", False)

    (start,) = flows.tasks("ManyFlow", "start")
    assert start["envtag_id"] == base
    assert (start["envtag_alias"], start["envtag_platform"]) == ("mlp/base:v1", HERE)
    assert start["envtag_commit"] == flows.story.repo.git("rev-parse", "HEAD")
    assert start["envtag_request"] == '{"name": "mlp/base:@{TAG}"}'
    late = flows.tasks("ManyFlow", "late")
    assert [task["envtag_id"] for task in late] == [base, base]
    assert late[0]["envtag_alias"] == "mlp/base:v1"
    (outside,) = flows.tasks("ManyFlow", "outside")
    assert not [field for field in outside if field.startswith("envtag")]
    # what was derived is neither the base nor what a pure solve would give: base's ids are part of its request
    (more,) = flows.tasks("ManyFlow", "more")
    assert more["envtag_id"].split(":")[0] != base.split(":")[0]

    run = flows.latest("ManyFlow")
    by_setting = {"ENVTAG_REGISTRY": "", "METAFLOW_CONDA_NAMED_ENV_REGISTRY": str(flows.story.path)}
    flows.run(flows.write("again.py", AGAIN), RUN=run, METAFLOW_USER="somebody-else", **by_setting)
    assert flows.tasks("AgainFlow", "start")[0]["envtag_id"] == more["envtag_id"]
    assert flows.tasks("AgainFlow", "start")[0]["envtag_alias"] == f"ManyFlow/{run}/more"
    assert flows.tasks("AgainFlow", "each")[0]["envtag_id"] == base
    assert flows.tasks("AgainFlow", "end")[0]["envtag_id"] == base


class Deco:
    """A decorator of a step, as far as it is asked."""

    def __init__(self, name: str, **attributes: Any) -> None:
        self.name = name
        vars(self).update(attributes)


@pytest.mark.parametrize(
    ("decorators", "platform"),
    [
        ([], ""),
        ([Deco("retry"), Deco("conda")], ""),
        ([Deco("batch")], "linux-64"),
        ([Deco("kubernetes", supports_conda_environment=True, target_platform="linux-aarch64")], "linux-aarch64"),
        ([Deco("of-another-party", supports_conda_environment=True, target_platform=None)], "linux-64"),
    ],
)
def test_a_step_runs_where_its_decorators_say(decorators: list[Deco], platform: str):
    assert remote_platform(Deco("step", decorators=decorators)) == platform


def test_what_the_client_shows_is_what_was_recorded():
    fields = {"envtag_id": "a:b", "envtag_alias": "x:v1", "python_version": "3"}
    assert CondaEnvironment.get_client_info("F", fields) == {"envtag_id": "a:b", "envtag_alias": "x:v1"}
    assert CondaEnvironment.get_client_info("F", {}) is None
