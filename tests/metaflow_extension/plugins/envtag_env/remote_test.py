from __future__ import annotations

import base64
import json
import shlex
import zlib

import metaflow  # noqa: F401 - first: it imports its extensions
import pytest
from metaflow.metaflow_environment import InvalidEnvironmentException

from metaflow_extensions.envtag.plugins.envtag_env import remote
from metaflow_extensions.envtag.plugins.envtag_env.identity import VARIABLE, Identity, Prepared

POD = {
    "prelude": "GET || @DEFAULT@",
    "short": "SHORT GET",
    "hydration": "python -m envtag.pods --store s3://b/x",
}
ID = f"{'a' * 40}:{'b' * 40}"
FOUND = Identity(id=ID, platform="linux-64", alias="mlp/base:v1", request='{"name": "it\'s"}', manifest="c" * 64)


def commands(identity: Identity = FOUND, *, late: str = "") -> list[str]:
    return remote.bootstrap_commands(Prepared(identity=identity, late=late, remote=True), "s3", POD)


def test_the_python_of_a_remote_step_is_beside_the_working_directory():
    assert remote.executable(Prepared(identity=FOUND)) == "../.envtag/python"


def test_the_id_is_passed_exactly():
    (line,) = [text for text in commands() if "envtag.pods" in text]
    words = shlex.split(line)
    assert words[:4] == ["DISABLE_TRACING=True", "python", "-m", "envtag.pods"]
    assert words[words.index("--environment") + 1] == f"linux-64={ID}@{'c' * 64}"
    assert words[words.index("--name") + 1] == "mlp/base:v1"
    variable, _, told = words[words.index("--identity") + 1].partition("=")
    assert variable == VARIABLE
    assert json.loads(base64.b64decode(told))["request"] == FOUND.request


def test_nothing_in_them_ends_the_quoting_that_they_are_put_in():
    assert not set('"`\\') & set(" && ".join(commands()))


def test_what_is_fetched_at_execution_has_no_id():
    (line,) = [text for text in commands(Identity(alias="mlp/base:latest"), late="mlp/base:@{TAG}") if "pods" in text]
    words = shlex.split(line)
    assert "--environment" not in words
    assert words[words.index("--name") + 1] == "mlp/base:@{TAG}"


def test_what_an_earlier_step_had_is_looked_up_before_it_is_hydrated():
    prepared = Prepared(identity=Identity(alias="F/@{RUN}/train"), late="F/@{RUN}/train", remote=True, of_step=True)
    told = remote.bootstrap_commands(prepared, "s3", POD)
    (asked,) = [number for number, text in enumerate(told) if "ENVTAG_STEP=$(" in text]
    assert told[asked].endswith("plugins.envtag_env.late 'F/@{RUN}/train')")
    assert "--name $ENVTAG_STEP" in told[asked + 1]


@pytest.mark.parametrize("alias", ['a"b', "it's", "a`id`", "$(id)", "a\\b", "{{workflow.name}}", "a\nb"])
def test_a_hostile_name_is_refused(alias: str):
    with pytest.raises(InvalidEnvironmentException, match="cannot be passed to another machine"):
        commands(FOUND._replace(alias=alias))


@pytest.mark.parametrize(
    "change",
    [{"id": f"{ID}; id"}, {"manifest": ""}, {"manifest": "c" * 63}, {"platform": "linux-64 x"}, {"platform": ""}],
)
def test_an_id_that_is_none_is_refused(change: dict[str, str]):
    with pytest.raises(InvalidEnvironmentException, match="its id, manifest or platform is not known"):
        commands(FOUND._replace(**change))


def test_without_what_launch_knows_of_pods_there_are_none():
    with pytest.raises(InvalidEnvironmentException, match=f"{remote.POD} is empty"):
        remote.bootstrap_commands(Prepared(identity=FOUND), "s3", {})


def test_a_cache_of_the_node_is_passed_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("metaflow.metaflow_config.CONDA_NAMED_ENV_NODE_CACHE", "/mnt/a cache")
    (line,) = [text for text in commands() if "envtag.pods" in text]
    words = shlex.split(line)
    assert words[words.index("--cache") + 1] == "/mnt/a cache"


def test_metaflows_own_command_is_what_there_is_otherwise():
    assert remote.install_dependencies("pip install", POD, short=False) == "GET || pip install"
    assert remote.install_dependencies("pip install", POD, short=True) == "SHORT GET"
    assert remote.install_dependencies("pip install", {}, short=True) == "pip install"


def test_a_short_command_says_the_same():
    prepared = Prepared(identity=FOUND, remote=True)
    (line,) = remote.bootstrap_commands(prepared, "s3", POD, short=True)
    assert len(line) < len(" && ".join(commands())) - 300
    words = shlex.split(line)
    assert words[1:6] == [*POD["hydration"].split()]
    packed = json.loads(zlib.decompress(base64.b64decode(words[words.index("--packed") + 1])))
    assert packed[:4] == ["--environment", f"linux-64={ID}@{'c' * 64}", "--name", "mlp/base:v1"]
    variable, _, told = packed[5].partition("=")
    assert variable == VARIABLE
    assert json.loads(told)["request"] == FOUND.request


def test_a_short_command_fetches_the_code_without_boto():
    own = [
        "mkdir metaflow",
        "i=0; while [ $i -le 5 ]; do x; done",
        "if [ $i -gt 5 ]; then exit 1; fi",
        "tar xf job.tar",
    ]
    wanted = ["mkdir metaflow", "python -m envtag.pods.code_package s3://b/metaflow/x job.tar", "tar xf job.tar"]
    assert remote.package_commands(own, "s3://b/metaflow/x", POD, short=True) == wanted
    assert remote.package_commands(own, "s3://b/metaflow/x", POD, short=False) == own
    assert remote.package_commands(own, "s3://b/metaflow/x", {}, short=True) == own
    assert remote.package_commands(own[3:], "s3://b/metaflow/x", POD, short=True) == own[3:]


def test_a_step_in_the_images_python_has_all_of_boto():
    (line,) = remote.disabled_commands(POD)
    completing = "DISABLE_TRACING=True python -m envtag.pods.services --store s3://b/x"
    assert line == f"if [ -d $ENVTAG_POD/lib/botocore ]; then {completing}; fi"
    assert remote.disabled_commands({}) == []


def test_a_trampoline_is_told_by_a_variable():
    assert remote.current({remote.POD: json.dumps(POD)}) == POD
    assert remote.current({remote.POD: ""}) == remote.current({}) == {}
