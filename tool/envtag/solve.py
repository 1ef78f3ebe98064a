"""From a request to locks: conda for all platforms side by side, then PyPI on top of what conda brings."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from envtag import credentials, identity
from envtag.engine_choice import engine_of
from envtag.engines import CondaProblem, Dist, PypiProblem, conda_engine, pypi_engine
from envtag.engines.explain import together
from envtag.engines.python_version import conda_version, minor_of, only_minor, permits
from envtag.errors import UnsolvableError
from envtag.hashes import check_stated
from envtag.lock.model import Lock
from envtag.lock_merge import Bound, Pins
from envtag.package import Package
from envtag.platforms import check_platform, declared_for, virtual_packages
from envtag.request import CondaRequirement, Origin, PypiRequirement, Request, is_for
from envtag.solvable import check_solvable
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from envtag.config import Config
    from envtag.credentials import Credentials
    from envtag.output import Output
    from envtag.store import Store

Packages: TypeAlias = tuple[Package, ...]
Answer: TypeAlias = "Packages | UnsolvableError"
_WORKERS = 4


def solve(
    request: Request,
    platforms: Sequence[str],
    *,
    config: Config,
    store: Store | None,
    base_locks: Mapping[str, Lock],
    output: Output,
    pins: Mapping[str, Pins] | None = None,
) -> list[Lock]:
    """Solve a request for some platforms, side by side.

    Args:
        request: What is asked for.
        platforms: Names of `platforms.PLATFORMS`.
        config: For caches and mirrors.
        store: Where archives may lie that mixed environments look into.
        base_locks: Platform to the lock of the base, if the request has one: its packages are kept exactly.
        output: For progress.
        pins: Platform to what of earlier locks is kept where it is needed, or preferred; a base's packages go first.

    Returns:
        One lock a platform, in the order of `platforms`; `sources` are the caller's to fill in.

    Raises:
        UnsolvableError: On some platforms there is no solution; the detail explains each.
        FatalError: The request cannot be solved as it is, or something cannot be reached.
    """
    answers = solve_each(
        request, platforms, config=config, store=store, base_locks=base_locks, output=output, pins=pins
    )
    failures = {name: answer for name, answer in answers.items() if isinstance(answer, UnsolvableError)}
    if failures:
        raise together(failures)
    return cast("list[Lock]", list(answers.values()))


def solve_each(
    request: Request,
    platforms: Sequence[str],
    *,
    config: Config,
    store: Store | None,
    base_locks: Mapping[str, Lock],
    output: Output,
    pins: Mapping[str, Pins] | None = None,
) -> dict[str, Lock | UnsolvableError]:
    """Solve a request as `solve` does, and say of each platform by itself what came of it.

    Returns:
        Platform to its lock, or to why there is none, in the order of `platforms`.

    Raises:
        FatalError: The request cannot be solved as it is, or something cannot be reached.
    """
    job = _Job(
        request=request, config=config, store=store, base_locks=base_locks, output=output, pins=pins or {},
        credentials=credentials.load(logins=request.logins),
    )  # fmt: skip
    names = list(dict.fromkeys(check_platform(name) for name in platforms))
    check_solvable(request, names, base_locks)
    conda = job.solve_conda(names)
    solved = {name: found for name, found in conda.items() if not isinstance(found, UnsolvableError)}
    python = job.uv_python(solved)
    pypi = job.solve_pypi(solved, python)
    answers: dict[str, Lock | UnsolvableError] = {}
    for name in names:
        answer = pypi.get(name, conda[name])
        if isinstance(answer, UnsolvableError):
            answers[name] = answer
        else:
            answers[name] = job.lock(name, solved[name], answer, python)
    return answers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One call of `solve`; see there."""

    request: Request
    config: Config
    store: Store | None
    base_locks: Mapping[str, Lock]
    output: Output
    pins: Mapping[str, Pins]
    credentials: Credentials

    def solve_conda(self, names: Sequence[str]) -> dict[str, Answer]:
        """Platform to its conda packages; what the base has already is not solved again."""
        answers: dict[str, Answer] = {}
        problems = []
        for name in names:
            problem = self._conda_problem(name)
            if problem.requirements:
                problems.append(problem)
            else:
                answers[name] = problem.pinned
        if problems:
            asked = [problem.platform for problem in problems]
            with self.output.tasks("solving conda packages", asked) as done:
                mirrors, cache = self.config.mirrors, self.config.directories.repodata
                engine = conda_engine(engine_of("conda", self.request.engines))
                solve_all = partial(engine.solve_all, problems, mirrors=mirrors, repodata_cache=cache)
                solved = self.credentials.retried(partial(solve_all, on_done=done, program=self.config.conda))
            answers.update(zip(asked, solved, strict=True))
        return answers

    def _conda_problem(self, name: str) -> CondaProblem:
        request = self.request.on(name)
        requirements: list[CondaRequirement] = []
        if request.interpreter == "conda":
            requirements = [item for item in request.conda if is_for(item, name)]
            if request.python:
                bound = conda_version(request.python)
                requirements.append(
                    CondaRequirement(name="python", version=bound, origin=Origin(file="the request's python"))
                )
            elif self._pypi_roots(name) and not any(item.name == "python" for item in self._base(name, "conda")):
                requirements.append(CondaRequirement(name="python", origin=Origin(file="its PyPI packages")))
        pins = self._pins(name, "conda")
        return CondaProblem(
            platform=name,
            channels=request.channels,
            requirements=tuple(requirements),
            constraints=tuple(f"{bound.name} {bound.versions}" for bound in pins.bounds),
            virtual_packages=virtual_packages(name, declared_for(name, request.virtual_packages)),
            exclude_newer=request.exclude_newer,
            pinned=self._base(name, "conda"),
            kept=pins.kept,
            preferred=pins.preferred,
            exempt=pins.exempt,
            credentials=self.credentials,
        )

    def uv_python(self, names: Mapping[str, Packages]) -> str:
        """The minor version of a Python that is not from conda; empty where conda brings it.

        The base's, else the only one that the request permits, else that of a Python that is found on this machine.
        """
        request = self.request
        if request.interpreter == "conda" or not names:
            return ""
        if request.base is not None:
            minor = self.base_locks[next(iter(names))].python
            if request.python and not permits(request.python, minor):
                raise UnsolvableError(
                    f"base `{request.base.reference}` is locked to Python {minor}, and `{request.python}` is asked for",
                    "an environment has its base's Python",
                )
            return minor
        only = only_minor(request.python)
        if only:
            return only
        before = {self.pins[name].python for name in names if name in self.pins} - {""}
        if len(before) == 1 and (not request.python or permits(request.python, *before)):
            return before.pop()
        running = "{}.{}".format(*sys.version_info[:2])
        if engine_of("pypi", request.engines) == "pip-tools" and (
            not request.python or permits(request.python, running)
        ):
            return running  # the one that it can solve for
        from envtag.engines.uv import find_python

        return find_python(request.python, cache=self.config.directories.uv).minor

    def solve_pypi(self, conda: Mapping[str, Packages], python: str) -> dict[str, Answer]:
        """Platform to its PyPI packages, on top of its conda packages."""
        answers: dict[str, Answer] = dict.fromkeys(conda, ())
        asked = [name for name in conda if self._pypi_roots(name) or self._base(name, "pypi")]
        if not asked:
            return answers
        from concurrent.futures import ThreadPoolExecutor

        self._provided([package for name in asked for package in conda[name]])  # read each package once
        problems = {name: self._pypi_problem(name, conda[name], python) for name in asked}
        with (
            self.output.tasks("solving PyPI packages", asked) as done,
            ThreadPoolExecutor(min(_WORKERS, len(asked))) as threads,
        ):
            futures = {
                name: threads.submit(self._solve_pypi, problem, conda[name], done) for name, problem in problems.items()
            }
            answers.update({name: future.result() for name, future in futures.items()})
        return answers

    def _solve_pypi(self, problem: PypiProblem, conda: Packages, done: Callable[[str], None]) -> Answer:
        from envtag import git_source  # what reads packages takes as long to load as all else of conda's side does
        from envtag.dist_extras import Extras
        from envtag.dists import refuse_twice

        try:
            refuse_twice(problem)
            if not any(not item.constraint for item in problem.requirements):
                return problem.pinned
            mirrors, directories = self.config.mirrors, self.config.directories
            engine = pypi_engine(engine_of("pypi", self.request.engines))
            solve_one = partial(engine.solve, mirrors=mirrors, cache=directories.uv)
            extras = Extras(conda=conda, mirrors=mirrors, directories=directories, store=self.store, output=self.output)
            solved = self.credentials.retried(lambda: extras.solved(solve_one, problem))
            base = {item.name for item in problem.pinned}
            check_stated([item for item in solved if item.name not in base], problem)
            return tuple(
                item if item.sha256 else git_source.locked(item, directories=directories, mirrors=mirrors)
                for item in solved
            )
        except UnsolvableError as error:
            return error
        finally:
            done(problem.platform)

    def _pypi_problem(self, name: str, conda: Packages, python: str) -> PypiProblem:
        request = self.request.on(name)
        exact = python or next((item.version for item in conda if item.name == "python"), "")
        requirements = [item for item in request.pypi if item.constraint and is_for(item, name)]
        provided = self._provided(conda)
        pins = self._pins(name, "pypi", {dist.name for dist in provided})
        return PypiProblem(
            platform=name,
            python=exact if exact.replace(".", "").isdigit() else minor_of(exact),  # a prerelease is its minor version
            requirements=(*self._pypi_roots(name, exact), *requirements, *map(_bounding, pins.bounds)),
            index_url=request.index_url,
            extra_index_urls=request.extra_index_urls,
            virtual_packages=virtual_packages(name, declared_for(name, request.virtual_packages)),
            exclude_newer=request.exclude_newer,
            provided=provided,
            pinned=self._base(name, "pypi"),
            kept=pins.kept,
            preferred=pins.preferred,
            exempt=pins.exempt,
            options=request.pypi_options,
            credentials=self.credentials,
        )

    def _pypi_roots(self, name: str, python: str = "") -> tuple[PypiRequirement, ...]:
        """What is asked of PyPI on a platform; markers are looked at once the version of Python is known."""
        asked = [item for item in self.request.pypi if not item.constraint and is_for(item, name)]
        return tuple(item for item in asked if not python or _holds(item, name, python))

    def _provided(self, conda: Sequence[Package]) -> tuple[Dist, ...]:
        from envtag.dists import provided_dists

        return provided_dists(
            conda,
            mirrors=self.config.mirrors,
            directories=self.config.directories,
            store=self.store,
            output=self.output,
        )

    def _base(self, name: str, manager: str) -> Packages:
        return self.base_locks[name].by_manager(manager) if self.request.base is not None else ()

    def _pins(self, name: str, manager: str, taken: AbstractSet[str] = frozenset()) -> Pins:
        """What pins say of one world, but for names that the base or the other world decides."""
        pins = self.pins.get(name, Pins())
        taken = taken | {package.name for package in self._base(name, manager)}
        kept, preferred = (
            tuple(item for item in packages if item.manager == manager and item.name not in taken)
            for packages in (pins.kept, pins.preferred)
        )
        bounds = tuple(bound for bound in pins.bounds if bound.manager == manager)
        return replace(pins, kept=kept, preferred=preferred, bounds=bounds)

    def lock(self, name: str, conda: Packages, pypi: Packages, python: str) -> Lock:
        """The lock of one platform."""
        from envtag.lock.content_hash import content_hash

        request = self.request
        version = next((item.version for item in conda if item.name == "python"), "")
        return Lock(
            platform=name,
            request=identity.request_id(request),
            interpreter=request.interpreter,
            python=python or (minor_of(version) if version else ""),
            packages=tuple(sorted((*conda, *pypi), key=lambda package: package.key)),
            channels=request.on(name).channels,
            content_hash=content_hash(request, name),
            base=request.base.reference if request.base is not None else "",
            base_lock=self.base_locks[name].id if request.base is not None else "",
            virtual_packages=virtual_packages(name, declared_for(name, request.virtual_packages)),
        )


def _bounding(bound: Bound) -> PypiRequirement:
    """A bound as a constraint."""
    text = f"{bound.name}{bound.versions}"
    return PypiRequirement(name=bound.name, text=text, constraint=True, origin=Origin(file="the update"))


def _holds(item: PypiRequirement, platform: str, python: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(item.text).marker
    return marker is None or marker.evaluate({**marker_environment(platform, python), "extra": ""})
