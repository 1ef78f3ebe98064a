from __future__ import annotations

from dataclasses import replace

import pytest

from envtag.lock import Lock
from envtag.policy import Limits, parse_policy, violations
from envtag.request import Base, CondaRequirement, Request
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE

NOW = 1_710_000_000_000
REQUEST = Request(
    interpreter="conda", python=">=3.11,<3.12", channels=SAMPLE.channels, index_url="https://index.example.org/simple"
)


def judged(values, lock: Lock = SAMPLE, request: Request | None = REQUEST, locks=None):
    limits = parse_policy(values, "x").limits
    return [(item.rule, item.package) for item in violations(limits, locks or {lock.platform: lock}, request, now=NOW)]


def with_packages(*packages) -> Lock:
    return SAMPLE._replace(packages=packages)


def test_no_limits_allow_everything():
    assert violations(Limits(), {"linux-64": SAMPLE}, REQUEST, now=NOW) == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"banned": ["Flask"]}, [("policy-banned", "flask")]),
        ({"banned": ["flask <3"]}, []),
        ({"banned": ["flask <3.1"]}, [("policy-banned", "flask")]),
        ({"banned": ["conda:flask"]}, []),
        ({"banned": ["pypi:flask"]}, [("policy-banned", "flask")]),
        ({"licenses": ["BSD-3-Clause"]}, [("policy-license", "flask"), ("policy-license", "python")]),
        (
            {"banned-licenses": ["BSD-3-clause"]},
            [("policy-license", "flask"), ("policy-license", "numpy"), ("policy-license", "python")],
        ),
        ({"minimum-age": 7}, [("policy-age", "python")]),
        ({"minimum-age": 90}, [("policy-age", "numpy"), ("policy-age", "python")]),
        ({"maximum-size": "1 GB"}, [("policy-size", "")]),
        ({"maximum-size": "1 MB"}, [("policy-size", "")]),
        ({"platforms": ["linux-64"]}, []),
        ({"platforms": ["osx-arm64"]}, [("policy-platform", "")]),
        ({"pythons": ["3.11"]}, []),
        ({"pythons": ["3.12"]}, [("policy-python", "")]),
        ({"channels": ["conda-forge", "https://channels.example.org/team"]}, []),
        ({"channels": ["conda-forge"]}, [("policy-channel", "")]),
        ({"indices": ["https://index.example.org/simple/"]}, []),
        ({"indices": ["https://other.example.org/simple"]}, [("policy-index", "")]),
        ({"pinned-python": True}, []),
    ],
)
def test_each_limit_is_held_to(values, expected):
    assert judged(values) == expected


def test_a_size_that_is_known_and_small_enough_is_fine():
    assert judged({"maximum-size": "9 MB"}, with_packages(NUMPY, FLASK)) == []


def test_a_size_that_is_not_known_is_said_to_be_so():
    (found,) = violations(Limits(maximum_size=10**9), {"linux-64": SAMPLE}, None, now=NOW)
    assert "nobody says how big 1 of its packages are" in found.message
    assert "`python`" in found.hint


def test_a_version_that_cannot_be_compared_may_be_a_banned_one():
    assert judged({"banned": ["python <2"]}, with_packages(PYTHON._replace(version="3_custom!"))) == [
        ("policy-banned", "python")
    ]


def test_a_package_of_the_future_is_not_old_enough():
    assert judged({"minimum-age": 1}, with_packages(NUMPY._replace(timestamp=NOW + 10**9))) == [("policy-age", "numpy")]


@pytest.mark.parametrize(
    ("python", "conda", "pinned"),
    [
        ("", "", False),
        (">=3.11", "", False),
        ("==3.11.*", "", True),
        ("==3.11.4", "", True),
        (">=3.11,<3.13", "", False),
        ("", "3.11.*", True),
        ("", "=3.11", True),
        ("", "3.11.4", True),
        ("", ">=3.11,<3.12", True),
        ("", ">=3.11", False),
        ("", "3.11.*|3.12.*", False),
        ("", "3", False),
    ],
)
def test_python_is_pinned_by_one_minor_version(python: str, conda: str, pinned: bool):
    items = (CondaRequirement(name="python", version=conda),) if conda else ()
    request = replace(REQUEST, python=python, conda=items)
    assert (judged({"pinned-python": True}, request=request) == []) is pinned


def test_an_environment_on_a_base_has_the_python_of_that():
    request = replace(REQUEST, python="", base=Base(reference="a:v1", request="a" * 40, locks={}))
    assert judged({"pinned-python": True}, request=request) == []


def test_platforms_that_share_a_violation_share_its_line():
    other = SAMPLE._replace(platform="osx-arm64")
    (found,) = violations(
        parse_policy({"banned": ["flask"]}, "x").limits,
        {"linux-64": SAMPLE, "osx-arm64": other},
        None,
        now=NOW,
    )
    assert found.platforms == ("linux-64", "osx-arm64")
