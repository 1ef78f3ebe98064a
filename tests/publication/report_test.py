from __future__ import annotations

from envtag.errors import FatalError
from envtag.publication import Failure, Report, Waiting


def test_each_package_is_counted_with_what_became_of_it():
    report = Report()
    report.count("a", 7)
    report.count("b", None)
    assert (report.uploaded, report.reused, report.bytes, report.seen) == (1, 1, 7, {"a", "b"})


def test_a_build_waits_once_and_says_where_it_is_made():
    report = Report()
    for _ in range(2):
        report.waits(Waiting("mlp/x", "osx-arm64", "delta", "1.0"))
    assert [str(item) for item in report.waiting] == [
        "`mlp/x` waits for a runner of osx-arm64 to build delta 1.0: `envtag publish --platform osx-arm64 mlp/x` there"
    ]


def test_programs_are_told_all_of_it_under_stable_names():
    report = Report(uploaded=1, reused=2, bytes=3, seconds=1.23456, built=["d-1-py3-none-any.whl"], tags=["a:v1"])
    report.waiting.append(Waiting("a", "osx-arm64", "delta", "1.0"))
    report.failed.append(Failure("b", FatalError("no", "do this", "a long story")))
    assert report.to_json(["a", "b"]) == {
        "environments": ["a", "b"],
        "dry_run": False,
        "uploaded": 1,
        "reused": 2,
        "bytes": 3,
        "seconds": 1.235,
        "built": ["d-1-py3-none-any.whl"],
        "waiting": [{"environment": "a", "platform": "osx-arm64", "name": "delta", "version": "1.0"}],
        "tags": ["a:v1"],
        "kept": [],
        "pushed": [],
        "failed": [{"environment": "b", "error": "no", "hint": "do this"}],
    }
