from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from envtag.errors import FatalError
from envtag.lock import read, write
from support.attempt import attempt
from support.damage import as_bytes, damaged
from support.locks import SAMPLE

DATA = write(SAMPLE)


def test_a_lock_is_read_as_it_was_written():
    assert read(DATA, "linux-64-lock.yml") == SAMPLE


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"\nversion: 1\n", b"\nversion: 2\n", "lock format version 2 is not one that this envtag reads"),
        (b"envtag-format: '1'", b"envtag-format: '9'", "not a lock of envtag's"),
        (b"version: '1.26.4'", b"version: '1.26.5'", "it was changed by hand"),
        (b"3f4365e11b28", b"000000000000", "it was changed by hand"),
        (b"sha256: '21128f47", b"sha256: 'zz128f47", "package `flask` has no full set of hashes"),
        (b"  manager: pip", b"  manager: npm", "has manager `npm`"),
        (b"  optional: false\n", b"  optional: false\n  surprise: 1\n", "unknown key `surprise`"),
        (b"  platform: linux-64\n  url", b"  platform: osx-64\n  url", "is for `osx-64`, not `linux-64`"),
        (b"https://files.example.org/", b"https://u:p@files.example.org/", "must not be stored"),
        (b"package:\n", b"package: 7\nother:\n", "`package` is not a list"),
        (b"  platforms:\n  - linux-64\n", b"  platforms: []\n", "is not one platform"),
        (b"envtag-interpreter: conda", b"envtag-interpreter: brew", "neither `conda` nor `uv`"),
        (b"  name: flask\n", b"  name: flask\n  name: flask\n", "the key `name` is there twice"),
        (b'\'{"size":99724', b'\'{{"size":99724', "a malformed part"),
        (b"  - url: conda-forge\n    used_env_vars: []\n", b"  - conda-forge\n", "a malformed part"),
        (b"https://files.example.org/packages/flask", b"https://files.example.org/\n  x: /flask", "unknown key"),
    ],
)
def test_a_damaged_lock_is_refused_by_what_is_wrong(old, new, message):
    assert old in DATA
    with pytest.raises(FatalError, match=re.escape(message)) as caught:
        read(DATA.replace(old, new, 1), "here/linux-64-lock.yml")
    assert "here/linux-64-lock.yml" in caught.value.message or "flask" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"a: [", b"version: 1\n"])
def test_what_is_no_lock_at_all_is_refused(data):
    with pytest.raises(FatalError, match=r"^x"):
        read(data, "x")


@hypothesis_settings(max_examples=150, deadline=None, database=None)
@given(damaged([write(SAMPLE).decode()]))
def test_a_damaged_one_is_read_or_refused_in_one_line(text: str):
    _, error = attempt(read, as_bytes(text), "a-lock.yml")
    if error is not None:
        assert error.message.startswith("a-lock.yml")
        assert "\n" not in error.message


def test_more_bytes_than_a_lock_can_have_are_not_looked_at():
    with pytest.raises(FatalError, match=r"a-lock\.yml: 32000001 bytes are too many"):
        read(b"-" * 32_000_001, "a-lock.yml")
