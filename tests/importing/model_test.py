from __future__ import annotations

import os

import pytest

from envtag.errors import FatalError
from envtag.importing import open_source
from envtag.importing.model import SIZE_LIMIT, Choice, listed, refused


def test_all_platforms_that_are_known_are_taken_unless_some_are_asked_for():
    found = ("linux-ppc64le", "osx-arm64", "linux-64")
    assert Choice().of(found, "x") == ("linux-64", "osx-arm64")
    assert Choice(platforms=("osx-arm64",)).of(found, "x") == ("osx-arm64",)


def test_a_platform_that_a_file_is_not_of_is_refused_with_those_that_it_is_of():
    with pytest.raises(FatalError, match="x: is not locked for `win-64`") as caught:
        Choice(platforms=("win-64",)).of(("linux-64",), "x")
    assert caught.value.hint == "it is for `linux-64`"
    with pytest.raises(FatalError, match="for no platform that envtag knows"):
        Choice().of(("linux-ppc64le",), "x")


def test_conda_decides_about_python_then_the_command_line_then_the_file():
    choice = Choice(pythons={"linux-64": "3.11.7"}, python="3.12")
    assert choice.python_of("linux-64", "3.13", "x") == "3.11.7"
    assert choice.python_of("osx-arm64", "3.13", "x") == "3.12"
    assert Choice().python_of("osx-arm64", "3.13", "x") == "3.13"
    with pytest.raises(FatalError, match="x: does not say which Python"):
        Choice().python_of("osx-arm64", "", "x")


def test_a_file_that_is_too_big_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "conda-lock.yml"
    with path.open("wb") as stream:
        stream.truncate(SIZE_LIMIT + 1)
    with pytest.raises(FatalError, match=rf"conda-lock\.yml: {SIZE_LIMIT + 1} bytes are too many for a lock"):
        open_source(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FatalError, match="neither a file nor a directory"):
        open_source(tmp_path / "pipe")


def test_a_refusal_names_place_part_and_reason():
    assert refused("a.lock:3", "b", "it is no c").message == "a.lock:3: `b`: it is no c"
    assert listed(()) == "none"
    assert listed(tuple("abcdefghijklmnop")).endswith("`l` …")
