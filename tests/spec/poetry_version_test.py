from __future__ import annotations

import pytest

from envtag.spec.model import MalformedError
from envtag.spec.poetry_version import specifier


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("*", ""), ("", ""), ("^1.2.3", ">=1.2.3,<2.0.0"), ("^1.2", ">=1.2,<2.0"), ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3.0"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0.0", ">=0.0,<0.1"), ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3.0"), ("~1.2", ">=1.2,<1.3"), ("~1", ">=1,<2"), ("~=1.2", "~=1.2"),
        ("1.2.*", "==1.2.*"), ("1.2.3", "==1.2.3"), ("=1.2", "==1.2"), ("==1.2", "==1.2"), ("!=1.3", "!=1.3"),
        (">=1,<2", ">=1,<2"), (">= 1 <2", ">=1,<2"), ("^1.2,!=1.3", ">=1.2,<2.0,!=1.3"), ("^2.0rc1", ">=2.0rc1,<3.0"),
    ],
)  # fmt: skip
def test_constraints_are_poetrys(text: str, clauses: str):
    assert specifier(text) == clauses


@pytest.mark.parametrize("text", ["^1 || ^2", "latest", ">=", "^x", "~1.2.3.4.x y", "1.2 banana", "@1"])
def test_anything_else_is_refused(text: str):
    with pytest.raises(MalformedError):
        specifier(text)
