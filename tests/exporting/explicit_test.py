from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.exporting import Subject
from envtag.exporting.explicit import export
from envtag.importing.explicit import read
from support.foreign import CHOICE, source
from support.locks import FLASK, NUMPY, SAMPLE


def test_archives_stand_with_their_sha256_and_pypi_packages_as_comments():
    exported = export(Subject(name="mlp/base:v1", locks=(SAMPLE,)))
    lines = exported.text.splitlines()
    assert lines[:3] == ["# Of mlp/base:v1, written by `envtag export`.", "# platform: linux-64", "@EXPLICIT"]
    assert lines[3] == f"{NUMPY.url}#sha256:{NUMPY.sha256}"
    assert lines[5] == f"# pip flask @ {FLASK.url}#sha256={FLASK.sha256}"
    assert exported.notes[0].startswith("comments in it, which conda passes over: 1 PyPI package; ")


def test_it_is_read_again_package_by_package():
    found = read(source("x", export(Subject(name="a:v1", locks=(SAMPLE,))).text), CHOICE)
    assert [(entry.package.key, entry.package.sha256) for entry in found.entries["linux-64"]] == [
        (package.key, package.sha256) for package in SAMPLE.packages
    ]


def test_a_commit_has_no_hash_there():
    commit = FLASK._replace(url=f"git+https://host.example.org/flask@{'a' * 40}")
    text = export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(NUMPY, commit)),))).text
    assert text.endswith(f"# pip flask @ {commit.url}\n")


def test_an_environment_without_conda_is_refused():
    pure = SAMPLE._replace(packages=(FLASK,), interpreter="uv")
    with pytest.raises(FatalError, match="has no conda packages, and an explicit list holds no others"):
        export(Subject(name="a:v1", locks=(pure,)))
