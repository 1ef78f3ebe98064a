from __future__ import annotations

from envtag.errors import UnsolvableError
from envtag.package import Package
from envtag.request import CondaRequirement, Origin, PypiRequirement, Request
from envtag.updating.model import Goal, Outcome
from envtag.updating.reasons import moves_of
from support.packages import make_lock


def package(name: str, version: str, *depends: str, manager="conda") -> Package:
    return Package(
        manager=manager,
        name=name,
        version=version,
        url=f"https://x.example/linux-64/{name}-{version}-0.conda",
        sha256=f"{abs(hash((name, version))):064x}"[:64],
        build="0" if manager == "conda" else "",
        subdir="linux-64" if manager == "conda" else "",
        depends=depends,
    )


def reasons(before, after, request=Request(interpreter="conda"), details=None, free=("a",)):  # noqa: B008 - frozen
    refusals = {key: UnsolvableError("no", "", text) for key, text in (details or {}).items()}
    manager = after[0].manager
    goal = Goal(free=frozenset((manager, name) for name in free))
    outcome = Outcome(lock=make_lock(after, python="3.11"), refusals=refusals)
    moves = moves_of(make_lock(before, python="3.11"), outcome, goal, request)
    return {str(move): move.reason for move in moves}


def test_a_requirement_of_a_locked_package_forces_a_move():
    found = reasons(
        [package("a", "1", "b"), package("b", "1"), package("e", "1")],
        [package("a", "2", "b >=2", "c"), package("b", "2"), package("c", "1")],
    )
    assert found == {
        "a 1 → 2": "",
        "b 1 → 2": "`a 2` needs `b >=2`",
        "c 1 added": "`a 2` needs it",
        "e 1 removed": "nothing needs it any more",
    }


def test_a_package_moves_for_what_it_needed_itself():
    found = reasons([package("a", "1"), package("d", "1", "a <2")], [package("a", "2"), package("d", "2")])
    assert found["d 1 → 2"] == "`d 1` needs `a <2`, and that is 2 now"


def test_the_spec_is_a_reason_too_with_its_place():
    origin = Origin(file="environment.yml", line=3)
    request = Request(
        interpreter="conda",
        conda=(
            CondaRequirement(name="b", version=">=2", origin=origin),
            CondaRequirement(name="b", version=">=9", platforms=frozenset({"win-64"})),
        ),
    )
    found = reasons([package("b", "1")], [package("b", "2")], request)
    assert found == {"b 1 → 2": "environment.yml:3 asks for `b >=2`"}
    request = Request(interpreter="uv", pypi=(PypiRequirement(name="b", text="b>=2", origin=origin),))
    old, new = package("b", "1", manager="pypi"), package("b", "2", manager="pypi")
    assert reasons([old], [new], request) == {"b 1 → 2": "environment.yml:3 asks for `b>=2`"}


def test_the_explanation_of_uv_is_read():
    before = [package(name, "1", manager="pypi") for name in "abdz"]
    after = [package(name, "2", manager="pypi") for name in "abdz"]
    found = reasons(
        before,
        after,
        details={
            ("pypi", "b"): "Because a>=2 depends on b>=2 and b==1, a cannot be used.",
            ("pypi", "d"): "Because d<=1 depends on a<2 and you require a>=2, we are done.",
            ("pypi", "z"): "Because of the weather,\n\nnothing goes.",
        },
    )
    assert found["b 1 → 2"] == "`a 2` needs `b>=2`"
    assert found["d 1 → 2"] == "`d 1` needs `a<2`, and that is 2 now"
    assert found["z 1 → 2"] == "Because of the weather, nothing goes."


def test_what_was_not_tried_alone_is_told_so_and_many_reasons_are_counted():
    after = [package("a", "2"), package("b", "2"), *(package(f"c{n}", "1", "b >=2") for n in range(5))]
    before = [package("a", "1"), package("b", "1"), *(package(f"c{n}", "1", "b >=2") for n in range(5))]
    assert reasons(before, after)["b 1 → 2"].endswith("`c2 1` needs `b >=2`, and 2 more")
    found = reasons([package("a", "1"), package("b", "1")], [package("a", "2"), package("b", "2")])
    assert found["b 1 → 2"] == "it moved with what was asked for, and was not tried alone"
