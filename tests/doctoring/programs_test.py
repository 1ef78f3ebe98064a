from __future__ import annotations

import sys
from importlib import metadata

import pytest

from envtag.doctoring import programs as module
from envtag.doctoring.programs import libraries, programs
from envtag.errors import FatalError


def test_what_runs_is_said_with_its_version():
    found = {item.rule: item for item in programs()}
    assert sorted(found) == ["engine-conda", "engine-pypi", "git"]
    assert {item.severity for item in found.values()} == {"note"}
    assert found["engine-conda"].message == f"rattler {metadata.version('py-rattler')}"
    assert found["engine-pypi"].message.startswith("uv ")


def test_a_git_that_is_too_old_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "installed_version", lambda: ("2.30.9", (2, 30)))
    (found,) = (item for item in programs() if item.rule == "git")
    assert (found.severity, found.message, found.hint) == (
        "error",
        "git 2.30.9 is too old",
        "install git 2.31 or newer",
    )


def test_engines_that_do_not_run_are_errors(monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise FatalError("uv does not run")

    monkeypatch.setattr(module, "run_uv", broken)
    monkeypatch.setitem(sys.modules, "rattler", None)
    found = {item.rule: item for item in programs() if item.severity == "error"}
    assert found["engine-pypi"].hint == "reinstall envtag"
    assert found["engine-conda"].message.startswith("rattler does not run: ModuleNotFoundError")


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("file:///x", []), ("s3://b", ["boto3"]), ("gs://b", ["google-cloud-storage"]),
        ("az://a/c", ["azure-storage-blob", "azure-identity"]),
    ],
)  # fmt: skip
def test_each_kind_of_store_takes_its_libraries(url, names):
    assert [item.message.split()[0] for item in libraries(url)] == names
    assert {item.severity for item in libraries(url)} <= {"note"}


def test_libraries_that_are_missing_say_which_extra_brings_them(monkeypatch):
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert [item.hint for item in libraries("gs://b")] == ["`pip install 'envtag[gcs]'`"]
    assert [item.hint for item in libraries("s3://b")] == ["reinstall envtag"]
    assert {item.severity for item in libraries("az://a/c")} == {"error"}
