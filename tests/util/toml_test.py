from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.util import toml


def test_toml_is_read():
    assert toml.loads('a = 1\n[b]\nc = "d"\n', "x.toml") == {"a": 1, "b": {"c": "d"}}


def test_what_is_not_toml_is_refused_with_file_and_line():
    with pytest.raises(FatalError, match=r"^x\.toml: not TOML: .*line 2"):
        toml.loads("a = 1\nb =\n", "x.toml")


def test_what_is_nested_too_deeply_is_refused():
    with pytest.raises(FatalError, match=r"^x\.toml: not TOML"):
        toml.loads(f"a = {'[' * 100_000}{']' * 100_000}\n", "x.toml")


def test_more_than_anybody_writes_is_not_parsed():
    with pytest.raises(FatalError, match=r"p\.toml: 16000001 characters are too many"):
        toml.loads("#" * 16_000_001, "p.toml")
