from __future__ import annotations

from envtag.diff.reasons import reasons
from support.diffs import conda, lock, pypi


def test_the_shortest_way_is_told():
    found = reasons(
        lock(
            conda("app", depends=("mid >=1", "long")),
            conda("long", depends=("longer",)),
            conda("longer", depends=("leaf",)),
            conda("mid", depends=("leaf 1.*",)),
            conda("leaf"),
            conda("stray"),
        ),
        {("conda", "app")},
    )
    assert found["conda", "leaf"] == ("app", "mid", "leaf")
    assert found["conda", "app"] == ("app",)
    assert ("conda", "stray") not in found


def test_of_ways_of_one_length_the_first_by_name_is_told():
    packages = [conda("b", depends=("leaf",)), conda("a", depends=("leaf",)), conda("leaf")]
    direct = {("conda", "b"), ("conda", "a")}
    assert reasons(lock(*packages), direct)["conda", "leaf"] == ("a", "leaf")
    assert reasons(lock(*reversed(packages)), direct)["conda", "leaf"] == ("a", "leaf")


def test_a_request_for_itself_wins_over_a_way_to_it():
    assert reasons(lock(conda("a", depends=("b",)), conda("b")), {("conda", "a"), ("conda", "b")})["conda", "b"] == (
        "b",
    )


def test_circles_end():
    found = reasons(lock(conda("a", depends=("b",)), conda("b", depends=("a",))), {("conda", "a")})
    assert found == {("conda", "a"): ("a",), ("conda", "b"): ("a", "b")}


def test_conda_answers_what_pypi_packages_need_and_not_the_other_way_round():
    found = reasons(lock(pypi("app", depends=("type-ext",)), conda("type_ext")), {("pypi", "app")})
    assert found["conda", "type_ext"] == ("app", "type_ext")
    assert reasons(lock(conda("app", depends=("lib",)), pypi("lib")), {("conda", "app")}) == {
        ("conda", "app"): ("app",)
    }


def test_what_is_asked_for_and_not_there_leads_nowhere():
    assert reasons(lock(conda("a")), {("conda", "gone")}) == {}


def test_what_is_asked_of_pypi_and_brought_by_conda_is_a_request():
    assert reasons(lock(conda("requests")), {("pypi", "requests")}) == {("conda", "requests"): ("requests",)}
