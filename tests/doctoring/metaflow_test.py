from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envtag.doctoring import metaflow as module
from envtag.doctoring.metaflow import metaflow

OTHER = """
from metaflow.decorators import StepDecorator

class Other(StepDecorator):
    name = "named_env"
"""
DESCRIPTION = 'STEP_DECORATORS_DESC = [("named_env", ".other.Other")]\n'


def found(environ: dict[str, str], python: str = sys.executable) -> dict[str, tuple[str, str, str]]:
    return {item.rule: (item.severity, item.message, item.hint) for item in metaflow(environ, python)}


@pytest.fixture
def environ() -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def test_metaflow_with_this_extension_alone_is_well(environ):
    told = found(environ)
    assert {severity for severity, _, _ in told.values()} == {"note"}
    assert told["metaflow"][1].endswith("named environments are envtag's")
    assert told["metaflow-datastore"][1] == "Metaflow's datastore is local"


def test_a_second_extension_that_claims_the_same_names_is_told_by_name(environ, tmp_path):
    plugins = tmp_path / "metaflow_extensions" / "zebra" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "mfextinit_zebra.py").write_text(DESCRIPTION)
    (plugins / "other.py").write_text(OTHER)
    severity, message, hint = found({**environ, "PYTHONPATH": str(tmp_path)})["metaflow"]
    assert "another extension of Metaflow claims names of envtag's: `zebra` has @named_env" in message
    won = message.endswith(
        "@named_env is not envtag's"
    )  # which of them is loaded last depends on how each is installed
    assert severity == ("error" if won else "warning")
    assert "one of them must go" in hint


def test_names_that_mean_another_extensions_are_an_error():
    names = dict.fromkeys(module._NAMES, "metaflow_extensions.envtag.plugins.x")
    told = {"version": "2.19", "names": {**names, "@named_env": "metaflow_extensions.zebra.plugins.other"}}
    (item,) = module._names({**told, "claims": {"envtag": list(names), "zebra": ["@named_env", "@other"]}})
    assert (item.severity, item.message.partition("; ")[2]) == ("error", "@named_env is not envtag's")
    (item,) = module._names({**told, "names": names, "claims": {"envtag": [], "zebra": ["@named_env"]}})
    assert (item.severity, item.message.partition("; ")[2]) == ("warning", "envtag's are used")
    (item,) = module._names({**told, "claims": {"zebra": ["@named_env"]}})
    assert (item.severity, item.message) == (
        "error", "Metaflow 2.19 does not see envtag's extension, and `zebra` has @named_env",
    )  # fmt: skip


def test_an_extension_that_breaks_metaflow_is_said(environ, tmp_path):
    plugins = tmp_path / "metaflow_extensions" / "zebra" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "mfextinit_zebra.py").write_text("STEP_DECORATORS_DESC = [('x', '.absent.X')]\n")
    severity, message, _ = found({**environ, "PYTHONPATH": str(tmp_path)})["metaflow"]
    assert (severity, message.partition(":")[0]) == ("error", "Metaflow cannot be imported")


def test_a_datastore_without_a_root_is_an_error(environ):
    severity, message, hint = found({**environ, "METAFLOW_DEFAULT_DATASTORE": "s3"})["metaflow-datastore"]
    assert severity == "error"
    assert message == "Metaflow's datastore is s3, and METAFLOW_DATASTORE_SYSROOT_S3 is not set"
    assert hint == "set METAFLOW_DATASTORE_SYSROOT_S3"
    variables = {"METAFLOW_DEFAULT_DATASTORE": "s3", "METAFLOW_DATASTORE_SYSROOT_S3": "s3://bucket/x"}
    assert found({**environ, **variables})["metaflow-datastore"][0] == "note"


def test_a_launcher_without_the_extension_is_a_warning(environ, tmp_path):
    program = tmp_path / "metaflow"
    program.write_text("#!/bin/sh\nexit 2\n")
    program.chmod(0o755)
    severity, message, _ = found({**environ, "PATH": f"{tmp_path}:{environ['PATH']}"})["metaflow-launcher"]
    assert severity == "warning"
    assert f"`{program}` is what `metaflow` means here" in message


def test_without_metaflow_there_is_nothing_to_say(environ, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    assert metaflow(environ, str(python)) == []
