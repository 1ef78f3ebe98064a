from __future__ import annotations

from dataclasses import replace

import pytest

from envtag.engines import CondaProblem
from envtag.engines.kept import settled
from envtag.errors import UnsolvableError
from support.locks import FLASK

PROBLEM = CondaProblem(platform="linux-64", channels=(), requirements=())
REBUILT = FLASK._replace(sha256="f" * 64)
SAME = FLASK._replace(license="as it was locked")


def test_what_was_locked_is_answered_in_its_own_words():
    for name in ("pinned", "kept", "preferred"):
        problem = replace(PROBLEM, **{name: (SAME,)})
        assert settled([FLASK], problem) == (SAME,)
    assert settled([REBUILT], replace(PROBLEM, preferred=(SAME,))) == (REBUILT,)
    assert settled([], replace(PROBLEM, kept=(SAME,))) == ()


def test_what_must_be_kept_and_is_not_is_an_error():
    for given, name in (([REBUILT], "pinned"), ([], "pinned"), ([REBUILT], "kept")):
        with pytest.raises(UnsolvableError, match=r"cannot be kept on `linux-64`"):
            settled(given, replace(PROBLEM, **{name: (SAME,)}))
