"""The program that a pod runs; a pod that runs it for a task is in `remote/kubernetes_test.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.metadata import metadata_service

ID = f"{'a' * 40}:{'b' * 40}"
PROGRAM = "metaflow_extensions.envtag.plugins.envtag_env.late"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """What Metaflow keeps of the run `F/7`, whose step `train` recorded an environment and `end` did not."""
    root = tmp_path / ".metaflow"
    parts = {"flow_id": "F", "run_number": 7, "run_id": "7", "ts_epoch": 1, "tags": [], "system_tags": []}
    for step, task in (("train", "1"), ("end", "2")):
        places = ("F", "F/7", f"F/7/{step}", f"F/7/{step}/{task}")
        for place in places:
            meta = root / place / "_meta"
            meta.mkdir(parents=True, exist_ok=True)
            (meta / "_self.json").write_text(json.dumps({**parts, "step_name": step, "task_id": task}))
    field = {"field_name": "envtag_id", "value": ID, "type": "envtag_id", "tags": ["attempt_id:0"], "id": 1}
    (root / "F/7/train/1/_meta/sysmeta_envtag_id_1.json").write_text(json.dumps({**parts, **field}))
    return root


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    def run(pathspec: str, **variables: str) -> tuple[int, str, str]:
        import os

        done = subprocess.run(
            [sys.executable, "-m", PROGRAM, pathspec],
            cwd=tmp_path,
            env={**os.environ, "METAFLOW_USER": "pod", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_pathspec_is_looked_up_in_the_metadata_service(recorded: Path, look: Callable[..., tuple[int, str, str]]):
    with metadata_service(recorded) as url:
        service = {"METAFLOW_DEFAULT_METADATA": "service", "METAFLOW_SERVICE_URL": url}
        assert look("F/@{RUN}/train", RUN="7", **service) == (0, f"{ID}\n", "")
        code, out, err = look("F/7/end", **service)
        assert (code, out) == (1, "")
        assert err.startswith("envtag: error: `F/7/end/2` recorded no environment\nhint: ")
        code, out, err = look("F/8/train", **service)
        assert (code, out) == (1, "")
        assert "envtag: error: `F/8/train` cannot be found" in err
    code, _, err = look("F/@{RUN}/train", **service)
    assert code == 1
    assert "RUN, which is not set" in err


def test_a_pod_without_a_metadata_service_says_so_in_a_line(look: Callable[..., tuple[int, str, str]]):
    code, out, err = look("F/7/train", METAFLOW_DEFAULT_METADATA="local")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "envtag: error: `F/7/train` cannot be looked up: this pod has no metadata service"


def test_what_is_no_id_never_becomes_words_of_a_command(recorded: Path, look: Callable[..., tuple[int, str, str]]):
    file = recorded / "F/7/train/1/_meta/sysmeta_envtag_id_1.json"
    file.write_text(file.read_text().replace(ID, f"{ID} --store s3://elsewhere"))
    with metadata_service(recorded) as url:
        code, out, err = look("F/7/train", METAFLOW_DEFAULT_METADATA="service", METAFLOW_SERVICE_URL=url)
    assert (code, out) == (1, "")
    assert "recorded is no id of an environment" in err
