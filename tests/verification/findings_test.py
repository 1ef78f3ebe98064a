from __future__ import annotations

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.names import Alias
from envtag.verification import Report

V1 = Alias(name="a/b", tag="v1", digest="sha256:" + "a" * 64)


def refuse(error: FatalError) -> None:
    raise error


def test_a_finding_is_one_line_that_names_the_link():
    report = Report()
    report.broken(V1, "object", "x 1 (key)", platform="linux-64", expected="7 bytes", found="6 bytes")
    report.broken(V1, "replica", "key", expected="one", found="none")
    assert [item.line() for item in report.findings] == [
        "a/b:v1 linux-64: object x 1 (key): expected 7 bytes, found 6 bytes",
        "a/b:v1: replica key: expected one, found none",
    ]


def test_tables_are_compared_platform_by_platform():
    report = Report()
    assert not report.differing(V1, "lock", "x", {"a": "1"}, {"a": "1"})
    assert report.differing(V1, "lock", "x", {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4", "d": "5"})
    found = [(item.platform, item.expected, item.found) for item in report.findings]
    assert found == [("b", "2", "4"), ("c", "3", "nothing"), ("d", "nothing", "5")]


def test_what_is_refused_is_a_broken_link_and_what_is_unreachable_is_none():
    report = Report()
    assert report.tried(lambda: 7, V1, "tag", "x", expected="y") == 7
    assert report.tried(lambda: refuse(FatalError("no", "do it")), V1, "tag", "x", expected="y") is None
    assert [(item.found, item.hint) for item in report.findings] == [("no", "do it")]
    with pytest.raises(UnreachableError):
        report.tried(lambda: refuse(UnreachableError("gone")), V1, "tag", "x", expected="y")
