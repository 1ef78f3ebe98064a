from __future__ import annotations

from packaging.version import Version

from envtag.advisories import Advisories, Advisory
from envtag.errors import UnsolvableError
from envtag.package import Package
from envtag.updating.model import Goal, Outcome
from envtag.updating.security import Affected, examine, lines, search_fixes
from support.packages import make_lock


def advisory(name: str, fixed: str) -> Advisory:
    return Advisory(
        id=f"X-{name}", package=name, ranges=((("introduced", "0"), *((("fixed", fixed),) if fixed else ())),)
    )


KNOWN = Advisories(
    by_package={name: (advisory(name, fixed),) for name, fixed in {"a": "2.0", "b": "3.0", "d": "", "c-x": "2"}.items()}
)


def package(name: str, version: str, manager="pypi", *depends: str) -> Package:
    url = f"https://x.example/noarch/{name}-{version}-0.conda"
    return Package(manager=manager, name=name, version=version, url=url, sha256=name[0] * 64, depends=depends)


def test_packages_are_looked_up_and_it_is_told_how():
    lock = make_lock(
        [
            package("a", "1.0"),
            package("d", "1"),
            package("safe", "1"),
            package("c_x", "1.0", "conda", "python >=3"),
            package("other-name", "1.0", "conda", "python"),
            package("odd", "2024a_x", "conda", "python"),
            package("openssl", "3", "conda"),
        ],
        python="3.11",
    )
    found = examine(lock, KNOWN, lambda item: [("b", "1.0")] if item.name == "other-name" else None)
    assert [(item.package.name, item.ids, item.fixed) for item in found.affected] == [
        ("c_x", ("X-c-x",), "2"),
        ("other-name", ("X-b",), "3.0"),
        ("a", ("X-a",), "2.0"),
        ("d", ("X-d",), ""),
    ]
    cover = found.coverage
    assert (cover.pypi, cover.by_content, cover.by_name, cover.unmatched) == (3, 1, 1, 2)
    told = list(lines({"linux-64": found}))
    assert "linux-64: a 1.0 is affected by X-a (fixed in 2.0)" in told
    assert "linux-64: d 1 is affected by X-d (no fixed version is known)" in told
    assert (
        "looked up 3 PyPI packages, 1 conda package by what they bring, 1 by their names; 2 conda packages" in told[-1]
    )


def solved(goals, affected):
    """What a search comes to where a version can be had only if `goals` allows it; and the bounds that were tried."""
    lock = make_lock([item.package for item in affected], python="3.11")
    tried = []
    running = search_fixes(lock, Goal(), affected, lambda *_: False)
    try:
        pins = next(running)
        while True:
            bounds = tuple(f"{bound.name}{bound.versions}" for bound in pins.bounds)
            tried.append(bounds)
            pins = running.send(
                lock if all(text in goals for text in bounds) else UnsolvableError("no", "", "so it is")
            )
    except StopIteration as end:
        return (*end.value, tried)


def affected(name: str, fixed: str) -> Affected:
    return Affected(package=package(name, "1.0"), ids=(f"X-{name}",), fixed=fixed)


def test_all_nearest_fixes_are_tried_at_once():
    outcome, told, tried = solved({"a==2.0", "b==3.0"}, [affected("a", "2.0"), affected("b", "3.0"), affected("d", "")])
    assert isinstance(outcome, Outcome)
    assert tried == [("a==2.0", "b==3.0")]
    assert [item.why_not for item in told] == ["", "", ""]


def test_what_stands_in_the_way_of_one_is_told_and_the_others_are_fixed():
    outcome, told, tried = solved({"b>=3.0"}, [affected("a", "2.0"), affected("b", "3.0")])
    assert isinstance(outcome, Outcome)
    assert tried[-1] == ("b>=3.0",)
    assert [item.why_not for item in told] == ["so it is", ""]


def test_where_nothing_can_be_fixed_nothing_is_asked():
    assert solved(set(), [affected("d", "")]) == (None, (affected("d", ""),), [])


def test_versions_are_compared_as_pypi_does():
    assert KNOWN.nearest_fix("a", Version("1.0")) == Version("2.0")
