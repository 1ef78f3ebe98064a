from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.exporting import Subject
from envtag.exporting.requirements import export
from envtag.importing.requirements import read
from support.foreign import CHOICE, source
from support.locks import FLASK, NUMPY, SAMPLE

CLICK = FLASK._replace(name="click", version="8.1", sha256="c" * 64, depends=())
PURE = SAMPLE._replace(interpreter="uv", packages=(CLICK, FLASK))


def test_each_requirement_has_its_hash_and_who_needs_it():
    exported = export(Subject(name="mlp/base:v1", locks=(PURE,)))
    assert exported.text == (
        "# Of mlp/base:v1, written by `envtag export` for linux-64 and Python 3.11.\n"
        f"click==8.1 \\\n    --hash=sha256:{'c' * 64}\n    # via flask\n"
        f"flask==3.0.0 \\\n    --hash=sha256:{FLASK.sha256}\n"
    )
    assert exported.notes == ("install it with `--no-deps`: what its packages need is all in it",)


def test_platforms_that_differ_have_markers_and_are_read_apart_again():
    other = PURE._replace(platform="win-64", packages=(CLICK._replace(sha256="d" * 64), FLASK._replace(version="3.1")))
    text = export(Subject(name="a:v1", locks=(PURE, other))).text
    assert f"click==8.1 \\\n    --hash=sha256:{'c' * 64} \\\n    --hash=sha256:{'d' * 64}\n" in text
    assert "flask==3.1 ; sys_platform == 'win32' \\\n" in text
    found = read(source("requirements.txt", text), CHOICE)
    assert {
        name: [(e.package.name, e.package.version) for e in entries] for name, entries in found.entries.items()
    } == {
        "linux-64": [("click", "8.1"), ("flask", "3.0.0")],
        "win-64": [("click", "8.1"), ("flask", "3.1")],
    }
    assert found.python == "3.11"
    assert found.entries["linux-64"][1].package.depends == ("click",)


def test_what_was_asked_for_by_its_url_is_there_by_it():
    text = export(Subject(name="a:v1", locks=(PURE,), direct=frozenset({"flask"}))).text
    assert f"flask @ {FLASK.url} \\\n    --hash=sha256:{FLASK.sha256}\n" in text
    (_, flask) = read(source("requirements.txt", text), CHOICE).entries["linux-64"]
    assert flask.direct
    assert (flask.package.url, flask.package.sha256) == (FLASK.url, FLASK.sha256)


def test_conda_packages_are_left_to_conda_and_told():
    exported = export(Subject(name="a:v1", locks=(SAMPLE,)))
    assert "numpy" not in exported.text
    assert exported.notes[0].startswith("left to conda: 2 conda packages; ")
    with pytest.raises(FatalError, match="has no PyPI packages"):
        export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(NUMPY,)),)))


def test_a_commit_has_no_hash_there_and_is_refused_by_name():
    commit = FLASK._replace(url="git+https://host.example.org/flask@" + "a" * 40)
    with pytest.raises(FatalError, match="`flask` is a commit of a git repository"):
        export(Subject(name="a:v1", locks=(PURE._replace(packages=(commit,)),)))
