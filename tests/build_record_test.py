from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from envtag.build_record import BuildRecord, Provenance, parse
from envtag.errors import FatalError
from envtag.manifest import Build
from envtag.util.canonical import sha256_hex
from support.locks import FLASK

WHEEL = Build(sha256="b" * 64, filename="delta-1.0-py3-none-any.whl", size=7)
RECORD = BuildRecord(
    name="delta",
    version="1.0",
    sha256="a" * 64,
    url="https://files.example.org/delta-1.0.tar.gz",
    wheel=WHEEL,
    platform="linux-64",
    python="3.11",
    made=Provenance(
        platform="linux-64",
        python="3.11.7",
        libc="glibc 2.36",
        backend="setuptools.build_meta",
        requires=("setuptools==70.0", "wheel==0.43.0"),
        tools={"envtag": "1.0", "uv": "0.9"},
    ),
)


def test_a_record_is_read_as_it_was_written():
    assert parse(RECORD.to_bytes(), "r") == RECORD


def test_its_bytes_are_golden():
    assert sha256_hex(RECORD.to_bytes()) == "7f4ff797ae60efd380fefe60528aafd0be2ecd8ee479b2bf7decb3272ec97e4e"


def test_it_is_of_one_source_platform_and_python():
    source = FLASK._replace(name="delta", version="1.0", sha256="a" * 64)
    assert RECORD.is_of(source, "linux-64", "3.11")
    assert not RECORD.is_of(source, "linux-64", "3.12")
    assert not RECORD.is_of(source, "osx-64", "3.11")
    assert not RECORD.is_of(source._replace(version="1.1"), "linux-64", "3.11")
    assert not RECORD.is_of(source._replace(sha256="c" * 64), "linux-64", "3.11")


@pytest.mark.parametrize(
    ("filename", "pure"),
    [
        ("delta-1.0-py3-none-any.whl", True),
        ("delta-1.0-py2.py3-none-any.whl", True),
        ("delta-1.0-cp311-cp311-linux_x86_64.whl", False),
        ("delta-1.0-py3-none-linux_x86_64.whl", False),
    ],
)
def test_a_wheel_for_every_platform_says_so_in_its_name(filename: str, pure: bool):
    assert replace(RECORD, wheel=replace(WHEEL, filename=filename)).pure is pure


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=2), "not a record of a build of version 1"),
        (lambda d: d.pop("source"), "`source` has not exactly"),
        (lambda d: d["source"].update(path="x"), "`source` has not exactly"),
        (lambda d: d["made"].pop("tools"), "`made` has not exactly"),
        (lambda d: d["made"].update(tools=[]), "a malformed record"),
        (lambda d: d["made"].update(requires=[1]), "a malformed record"),
        (lambda d: d["made"].update(requires="x"), "a malformed record"),
        (lambda d: d.update(python=3.11), "a malformed record"),
        (lambda d: d.update(more=""), "a malformed record"),
        (lambda d: d.update(wheel=None), "has not exactly `sha256`, `filename` and `size`"),
        (lambda d: d["wheel"].update(filename="../x.whl"), "not named like a wheel"),
        (lambda d: d["wheel"].update(filename="x.tar.gz"), "not named like a wheel"),
        (lambda d: d["wheel"].update(sha256="x"), "without a sha256"),
        (lambda d: d["wheel"].update(size=-1), "no proper size"),
        (lambda d: d["wheel"].update(size=True), "no proper size"),
    ],
)
def test_a_damaged_record_is_refused(change: Any, message: str):
    document = json.loads(RECORD.to_bytes())
    change(document)
    with pytest.raises(FatalError, match=message):
        parse(json.dumps(document).encode(), "r")


@pytest.mark.parametrize("data", [b"{", b"[]"])
def test_what_is_no_record_is_refused(data: bytes):
    with pytest.raises(FatalError, match=r"^r: not"):
        parse(data, "r")
