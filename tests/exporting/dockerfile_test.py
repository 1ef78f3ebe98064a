from __future__ import annotations

from importlib.metadata import version

import pytest

from envtag.errors import FatalError
from envtag.exporting import Subject
from envtag.exporting.dockerfile import export
from support.docker import steps
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE


def test_a_mixed_environment_is_made_by_conda_and_then_by_uv_each_with_hashes():
    found = steps(export(Subject(name="a:v1", locks=(SAMPLE,))).text)
    assert [step.instruction for step in found] == [
        "ARG", "ARG", "FROM", "FROM", "USER", "COPY", "RUN", "COPY", "COPY", "RUN", "ENV", "LABEL",
    ]  # fmt: skip
    assert [step.text for step in found[:2]] == [
        "BASE=mambaorg/micromamba:2.0.5", f"UV=ghcr.io/astral-sh/uv:{version('uv')}"
    ]  # fmt: skip
    assert found[3].text == "--platform=linux/amd64 $BASE"
    urls = "".join(f"{package.url}#sha256:{package.sha256}\n" for package in (NUMPY, PYTHON))
    assert found[5].file == f"# Of a:v1.\n# platform: linux-64\n@EXPLICIT\n{urls}"
    assert f"    --hash=sha256:{FLASK.sha256}\n" in (found[7].file or "")
    assert "--no-deps --require-hashes" in found[9].text
    assert SAMPLE.id in found[11].text


def test_without_pypi_packages_there_is_no_uv_and_without_conda_no_micromamba():
    conda = export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(NUMPY, PYTHON)),)))
    assert "uv" not in conda.text
    pure = SAMPLE._replace(interpreter="uv", python="3.12", packages=(FLASK,), platform="linux-aarch64")
    text = export(Subject(name="a:v1", locks=(pure,))).text
    assert "micromamba" not in text
    assert "ARG BASE=python:3.12-slim\n" in text
    assert "FROM --platform=linux/arm64 $BASE\n" in text
    assert "uv pip" not in export(Subject(name="a:v1", locks=(pure._replace(packages=()),))).text


def test_what_no_image_can_be_of_is_refused():
    with pytest.raises(FatalError, match="images are of Linux, and this is `win-64`"):
        export(Subject(name="a:v1", locks=(SAMPLE._replace(platform="win-64"),)))
