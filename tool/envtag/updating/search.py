"""The search for the smallest change of a lock: hard pins first, then as few of them relaxed as will do.

A search yields what the next solve is held to, and is sent what came of it: so the searches of all platforms go on
side by side, one solve of each at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, cast

from envtag.errors import UnsolvableError
from envtag.lock_merge import Bound, Pins
from envtag.updating.model import Goal, Key, Outcome

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

Answer: TypeAlias = "Lock | UnsolvableError"
Search: TypeAlias = Generator[Pins, Answer, Outcome]
#: Solves on one platform after which what is still relaxed stays so, and the answer is not called minimal.
LIMIT = 80
#: How often what a solver blames is let go, before everything is.
_ROUNDS = 8
#: After so many times, what needs it is let go along with it; and so many at most, for nearly all need Python.
_PATIENCE, _HUB = 3, 12


def run(
    searches: Mapping[str, Search], solve: Callable[[Mapping[str, Pins]], Mapping[str, Answer]]
) -> dict[str, Outcome | UnsolvableError]:
    """Run searches side by side.

    Args:
        searches: Platform to its search.
        solve: Solves for some platforms, each held to its pins.

    Returns:
        For each platform what its search came to, or why there is no solution at all.
    """
    ended: dict[str, Outcome | UnsolvableError] = {}
    answers: Mapping[str, Answer | None] = dict.fromkeys(searches)
    while answers:
        asked: dict[str, Pins] = {}
        for name, answer in answers.items():
            further = _further(searches[name], answer)
            if isinstance(further, Pins):
                asked[name] = further
            else:
                ended[name] = further
        answers = solve(asked) if asked else {}
    return {name: ended[name] for name in searches}


def _further(search: Search, answer: Answer | None) -> Pins | Outcome | UnsolvableError:
    """What a search wants to know next, or its end; it begins with None."""
    try:
        return next(search) if answer is None else search.send(answer)
    except StopIteration as end:
        return cast("Outcome", end.value)
    except UnsolvableError as error:
        return error


def search(before: Lock, goal: Goal, has_newer: Callable[[Key, str], bool]) -> Search:
    """The smallest change of a lock that comes up to a goal.

    Everything but what may move is held first. Where that has no solution, or a newer version of what is to be as new
    as can be needs more, the solver is let choose, preferring what is locked; then each package that it moved is held
    again, by halves, until what is left moved is what cannot be held.

    Args:
        before: The lock as it is.
        goal: What is wanted.
        has_newer: Whether a version of a package is offered that is newer than another one; true if it is not known.

    Raises:
        UnsolvableError: There is no solution, whatever moves.
    """
    return _Search(before=before, goal=goal, has_newer=has_newer).run()


@dataclass(slots=True, kw_only=True)
class _Search:
    """One search while it goes on.

    Attributes:
        before: The lock as it was.
        goal: What is wanted.
        has_newer: See `search`.
        refusals: See `Outcome`.
        stuck: See `Outcome`.
        solves: See `Outcome`.
        minimal: See `Outcome`.
    """

    before: Lock
    goal: Goal
    has_newer: Callable[[Key, str], bool]
    refusals: dict[Key, UnsolvableError] = field(default_factory=dict)
    stuck: dict[Key, UnsolvableError] = field(default_factory=dict)
    solves: int = 0
    minimal: bool = True

    def run(self) -> Search:
        if self.goal.everything:
            self.solves += 1
            young = [package for package in self.before.packages if package.key in self.goal.young]
            lock = self._certain((yield self._pins(preferred=young, bounds=self.goal.bounds)))
            return self._outcome(lock)
        bounds = self.goal.bounds
        lock = self._certain((yield from self._relaxed(bounds, thoroughly=True)))
        for key in self.goal.newest:
            lock = yield from self._newest(lock, key, bounds)
            bounds = (*bounds, *self._reached(lock, key))
        lock = yield from self._shrink(lock, bounds)
        return self._outcome(lock)

    def _newest(self, lock: Lock, key: Key, bounds: tuple[Bound, ...]) -> Generator[Pins, Answer, Lock]:
        """Ask for what is newer than what there is of a package until there is nothing; Python stays what it is."""
        while (found := _find(lock, key)) is not None and self.has_newer(key, found.version):
            public = found.version.partition("+")[0]  # a local version (`2.1+cpu`) cannot be compared with
            newer = Bound(manager=key[0], name=key[1], versions=f">{public}")
            asked = (*bounds, newer, *self._same_python(lock, key))
            answer = yield from self._relaxed(asked)
            if isinstance(answer, UnsolvableError):
                self.stuck[key] = answer
                return lock
            if _find(answer, key) is None:  # nothing newer, and without it there is another way
                return lock
            lock = answer
        return lock

    def _relaxed(self, bounds: tuple[Bound, ...], *, thoroughly: bool = False) -> Generator[Pins, Answer, Answer]:
        """Solve with everything held, and let go of what the solver says stands against it until nothing does.

        Args:
            bounds: What versions must satisfy.
            thoroughly: Let go of everything before it is given up, also where the solver blames nothing that is held.
        """
        free: set[Key] = set()
        for rounds in range(_ROUNDS + 1):
            others = self._others()
            held = [package for package in others if package.key not in free]
            self.solves += 1
            answer = yield self._pins(kept=held, preferred=[item for item in others if item.key in free], bounds=bounds)
            if not isinstance(answer, UnsolvableError) or not held:
                break
            blamed = {package.key for package in held if package.name in answer.blamed}
            if not (blamed or thoroughly):
                break
            if rounds >= _PATIENCE:
                blamed |= self._around(blamed)
            free |= blamed if blamed and rounds < _ROUNDS - 1 else {package.key for package in held}
        return answer

    def _around(self, keys: Iterable[Key]) -> set[Key]:
        """The packages that need one of some, or are needed by one, but for what very many need."""
        needs: dict[Key, set[Key]] = {}
        for package in self.before.packages:
            for text in package.depends:
                needs.setdefault((package.manager, text.split()[0]), set()).add(package.key)
        near = set(keys)
        for key in keys:
            if len(needs.get(key, ())) <= _HUB:
                near |= needs.get(key, set())
            near |= {other for other, users in needs.items() if key in users and len(users) <= _HUB}
        return near - set(self.goal.free)

    def _same_python(self, lock: Lock, key: Key) -> tuple[Bound, ...]:
        """Nothing that is asked for by name is worth another Python, but Python itself."""
        python = _find(lock, ("conda", "python"))
        if python is None or key == python.key or ("conda", "python") in self.goal.free:
            return ()
        return (Bound(manager="conda", name="python", versions=f"{lock.python}.*"),)

    def _reached(self, lock: Lock, key: Key) -> tuple[Bound, ...]:
        """That a package stays at least as new as it has become."""
        found = _find(lock, key)
        if found is None:
            return ()
        return (Bound(manager=key[0], name=key[1], versions=f"=={found.version}"),)

    def _shrink(self, lock: Lock, bounds: tuple[Bound, ...]) -> Generator[Pins, Answer, Lock]:
        """Hold what moved again, as far as it can be held."""
        doubtful = [self._moved(lock)]
        while doubtful:
            chunk = [key for key in doubtful.pop() if key in self._moved(lock)]
            if not chunk:
                continue
            if self.solves >= LIMIT:
                self.minimal = False
                return lock
            relaxed = set(self._moved(lock)) - set(chunk)
            held = [package for package in self._others() if package.key not in relaxed]
            preferred = [package for package in self._others() if package.key in relaxed]
            self.solves += 1
            answer = yield self._pins(kept=held, preferred=preferred, bounds=bounds)
            if not isinstance(answer, UnsolvableError):
                lock = answer
            elif len(found := _blamed(chunk, answer)) == 1:  # the rest of the chunk has no part in it
                self.refusals[found[0]] = answer
                doubtful.append([key for key in chunk if key != found[0]])
            else:
                doubtful += _parted(chunk, found)
        return lock

    def _moved(self, lock: Lock) -> list[Key]:
        """The packages that were to be held and are other ones now, but for those that are no longer needed."""
        after = {package.key: package for package in lock.packages}
        others = ((item, after.get(item.key)) for item in self._others())
        return [item.key for item, now in others if now is not None and now.sha256 != item.sha256]

    def _others(self) -> Sequence[Package]:
        return [package for package in self.before.packages if package.key not in self.goal.free]

    def _pins(
        self, *, kept: Iterable[Package] = (), preferred: Iterable[Package] = (), bounds: tuple[Bound, ...]
    ) -> Pins:
        return Pins(
            kept=tuple(kept),
            preferred=tuple(preferred),
            python=self.before.python if self.before.interpreter == "uv" else "",
            bounds=bounds,
            exempt=self.goal.exempt,
        )

    @staticmethod
    def _certain(answer: Answer) -> Lock:
        if isinstance(answer, UnsolvableError):
            raise answer
        return answer

    def _outcome(self, lock: Lock) -> Outcome:
        moved = set(self._moved(lock))
        refusals = {key: error for key, error in self.refusals.items() if key in moved}
        return Outcome(lock=lock, refusals=refusals, stuck=dict(self.stuck), solves=self.solves, minimal=self.minimal)


def _blamed(chunk: Sequence[Key], answer: UnsolvableError) -> list[Key]:
    """What of a chunk cannot be held by the solver's explanation, which names all that it follows from."""
    return list(chunk) if len(chunk) == 1 else [key for key in chunk if key[1] in answer.blamed]


def _parted(chunk: Sequence[Key], blamed: Sequence[Key]) -> list[list[Key]]:
    """A chunk in two: first what the solver blames, so that the rest is held next; else its halves."""
    parts = [[key for key in chunk if (key in blamed) is wanted] for wanted in (True, False)]
    half = len(chunk) // 2
    return parts if all(parts) else [list(chunk[half:]), list(chunk[:half])]


def _find(lock: Lock, key: Key) -> Package | None:
    return next((package for package in lock.packages if package.key == key), None)
