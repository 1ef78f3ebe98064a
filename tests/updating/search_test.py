from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from envtag.errors import UnsolvableError
from envtag.lock_merge import Pins
from envtag.package import Package
from envtag.updating.model import Goal, Outcome
from envtag.updating.search import LIMIT, Answer, run, search
from support.packages import make_lock

#: Name and version to what it needs: name to the versions that will do.
Universe = Mapping[tuple[str, int], Mapping[str, range]]


def package(name: str, version: int) -> Package:
    digest = f"{abs(hash((name, version))):064x}"[:64]
    return Package(
        manager="conda", name=name, version=str(version), url=f"https://x.example/{name}-{version}.conda", sha256=digest
    )


def lock(**versions: int):
    return make_lock([package(name, version) for name, version in versions.items()], python="3.11")


class Solver:
    """A solver that tries everything: roots must be there, newest first, preferred ones before newer ones."""

    def __init__(self, universe: Universe, *roots: str, silent: bool = False) -> None:
        self.universe, self.roots, self.silent, self.asked = universe, roots, silent, 0

    def __call__(self, pins: Mapping[str, Pins]) -> dict[str, Answer]:
        self.asked += 1
        return {platform: self.solve(item) for platform, item in pins.items()}

    def solve(self, pins: Pins) -> Answer:
        names = sorted({name for name, _ in self.universe})
        kept = {item.name: int(item.version) for item in pins.kept}
        preferred = {item.name: int(item.version) for item in pins.preferred}
        choices = []
        for name in names:
            found = sorted((v for n, v in self.universe if n == name and self.allows(n, v, pins, kept)), reverse=True)
            found.sort(key=lambda v, name=name: v != preferred.get(name))
            choices.append([*found] if name in self.roots else [*found, 0])
        for chosen in product(*choices):
            versions = dict(zip(names, chosen, strict=True))
            there = {name: version for name, version in versions.items() if version}
            if all(self.needs(name, version, there) for name, version in there.items()):
                needed = {n for name, v in there.items() for n in self.universe[name, v]} | set(self.roots)
                return lock(**{name: version for name, version in there.items() if name in needed})
        return UnsolvableError("no", blamed=frozenset() if self.silent else frozenset(kept))

    @staticmethod
    def allows(name: str, version: int, pins: Pins, kept: Mapping[str, int]) -> bool:
        bounds = [bound.versions for bound in pins.bounds if bound.name == name]
        return kept.get(name, version) == version and all(
            version > int(text[1:]) if text.startswith(">") else version == int(text[2:]) for text in bounds
        )

    def needs(self, name: str, version: int, there: Mapping[str, int]) -> bool:
        return all(there.get(other, 0) in wanted for other, wanted in self.universe[name, version].items())


UP = range(2, 9)
UNIVERSE: Universe = {
    ("a", 1): {},
    ("a", 2): {"b": UP},
    ("b", 1): {},
    ("b", 2): {},
    ("c", 1): {},
    ("c", 2): {},
    ("d", 1): {"b": range(1, 2)},
    ("d", 2): {"b": UP},
}


def found(solver: Solver, before, goal: Goal) -> Outcome:
    outcome = run({"linux-64": search(before, goal, lambda *_: True)}, solver)["linux-64"]
    assert isinstance(outcome, Outcome)
    return outcome


def versions(outcome: Outcome) -> dict[str, int]:
    return {item.name: int(item.version) for item in outcome.lock.packages}


def keys(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(("conda", name) for name in names)


def goal(*names: str) -> Goal:
    return Goal(free=frozenset(keys(*names)), newest=keys(*names))


def test_what_can_move_alone_does_and_nothing_else():
    outcome = found(Solver(UNIVERSE, "a", "b", "c"), lock(a=1, b=1, c=1), goal("c"))
    assert versions(outcome) == {"a": 1, "b": 1, "c": 2}
    assert (outcome.refusals, outcome.minimal) == ({}, True)


@pytest.mark.parametrize("silent", [False, True])
def test_only_what_must_moves_along_and_each_move_was_tried(silent):
    outcome = found(Solver(UNIVERSE, "a", "b", "c", "d", silent=silent), lock(a=1, b=1, c=1, d=1), goal("a"))
    if silent:  # a solver that blames nothing held is believed: nothing newer is to be had
        assert versions(outcome) == {"a": 1, "b": 1, "c": 1, "d": 1}
        return
    assert versions(outcome) == {"a": 2, "b": 2, "c": 1, "d": 2}
    assert set(outcome.refusals) == set(keys("b", "d"))
    assert outcome.minimal


def test_what_the_spec_forbids_is_let_go_though_the_solver_blames_nothing():
    class Edited(Solver):
        def allows(self, name, version, pins, kept):
            return (name, version) != ("b", 1) and super().allows(name, version, pins, kept)

    outcome = found(Edited(UNIVERSE, "b", "c", silent=True), lock(b=1, c=1), Goal())
    assert versions(outcome) == {"b": 2, "c": 1}


def test_what_is_the_newest_already_is_told_with_the_reason():
    outcome = found(Solver(UNIVERSE, "c"), lock(c=2), goal("c"))
    assert set(outcome.stuck) == set(keys("c"))
    assert outcome.solves == 2


def test_no_solver_is_asked_for_what_is_not_offered():
    solver = Solver(UNIVERSE, "c")
    outcome = run({"x": search(lock(c=2), goal("c"), lambda *_: False)}, solver)["x"]
    assert isinstance(outcome, Outcome)
    assert (outcome.solves, solver.asked, outcome.stuck) == (1, 1, {})


def test_where_everything_may_move_one_solve_is_enough():
    outcome = found(Solver(UNIVERSE, "a", "c"), lock(a=1, b=1, c=1), Goal(everything=True))
    assert versions(outcome) == {"a": 2, "b": 2, "c": 2}
    assert outcome.solves == 1


def test_no_solution_at_all_is_the_answer_of_that_platform_alone():
    class Picky(Solver):
        def solve(self, pins):
            return super().solve(pins) if pins.kept or pins.preferred else UnsolvableError("never")

    searches = {
        "one": search(lock(b=1, c=1), goal("c"), lambda *_: True),
        "two": search(lock(c=1), Goal(everything=True), lambda *_: True),
    }
    answers = run(searches, Picky(UNIVERSE, "b", "c"))
    assert isinstance(answers["two"], UnsolvableError)
    assert isinstance(answers["one"], Outcome)


def test_a_search_has_an_end_and_says_that_it_may_not_be_the_smallest_change():
    names = [f"n{number}" for number in range(LIMIT)]

    class Stubborn(Solver):
        """Moves everything that it may move, and refuses whatever is held that was moved, but for the last."""

        def solve(self, pins):
            if pins.kept:
                return UnsolvableError("no", blamed=frozenset(item.name for item in pins.kept[:1]))
            return lock(a=2, **dict.fromkeys(names, 2))

    outcome = found(Stubborn({}), lock(a=1, **dict.fromkeys(names, 1)), Goal(free=frozenset(keys("a"))))
    assert not outcome.minimal
    assert outcome.solves <= LIMIT + 1


def test_the_python_of_a_lock_stays_for_a_newer_package_but_not_for_itself():
    bounds = []

    class Watching(Solver):
        def solve(self, pins):
            bounds.append([f"{bound.name}{bound.versions}" for bound in pins.bounds])
            return UnsolvableError("no") if pins.bounds else super().solve(pins)

    universe: Universe = {("python", 3): {}, ("c", 1): {}}
    found(Watching(universe, "python", "c"), lock(python=3, c=1), goal("c"))
    assert bounds == [[], ["c>1", "python3.11.*"]]
    bounds.clear()
    found(Watching(universe, "python", "c"), lock(python=3, c=1), goal("python"))
    assert bounds == [[], ["python>3"]]


def test_a_local_version_is_compared_by_its_public_part():
    asked = []

    class Watching(Solver):
        def solve(self, pins):
            asked.append([f"{bound.name}{bound.versions}" for bound in pins.bounds])
            return UnsolvableError("no") if pins.bounds else local

    local = make_lock([package("c", 1)._replace(version="2.1+cpu")], python="3.11")
    found(Watching(UNIVERSE, "c"), local, goal("c"))
    assert asked == [[], ["c>2.1"]]


def test_what_a_solver_blames_alone_is_proved_without_another_solve():
    forced = [f"n{number:02}" for number in range(60)]
    names = ["root", *forced]
    before, after = lock(**dict.fromkeys([*names, "other"], 1)), lock(**dict.fromkeys(names, 2), other=1)

    def solve(pins: Mapping[str, Pins]) -> dict[str, Answer]:
        [(platform, item)] = pins.items()
        held = sorted({package.name for package in item.kept} & set(forced))
        blamed = frozenset(held[:1])
        return {platform: UnsolvableError("no", blamed=blamed) if held else after}

    goal = Goal(free=frozenset({("conda", "root")}), newest=(("conda", "root"),))
    found = run({"linux-64": search(before, goal, lambda _, version: version == "1")}, solve)["linux-64"]
    assert isinstance(found, Outcome)
    assert found.minimal
    assert set(found.refusals) == {("conda", name) for name in forced}
    assert found.solves <= LIMIT
