"""What is refused before a solver is asked, or after it was: contradictions that no solver knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.engine_choice import DEFAULTS, engine_of
from envtag.engines import conda_engine, pypi_engine
from envtag.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envtag.engines import CondaEngine, PypiEngine
    from envtag.lock.model import Lock
    from envtag.request import Request


def check_solvable(request: Request, names: Sequence[str], base_locks: Mapping[str, Lock]) -> None:
    """Refuse what no solver need be asked about.

    Args:
        request: What is asked for.
        names: The platforms.
        base_locks: Platform to the lock of the base, if the request has one.

    Raises:
        FatalError: An engine cannot run here or cannot solve for a platform; the request contradicts itself or
            its base.
    """
    if request.interpreter == "uv" and request.conda:
        first = request.conda[0]
        raise FatalError(
            f"{first.origin}: `{first.match_spec()}` is a conda package, but Python comes from uv here",
            "set `interpreter: conda`",
        )
    if request.interpreter == "conda" and not request.channels:
        raise FatalError("no conda channel is named", "add `--channel conda-forge`, or `channels:` to the spec")
    _check_engines(request, names)
    if request.base is None:
        return
    for name in names:
        lock = base_locks.get(name)
        if lock is None:
            listed = ", ".join(f"`{known}`" for known in sorted(base_locks)) or "none"
            raise FatalError(
                f"base `{request.base.reference}` has no lock for `{name}`",
                f"it has {listed}: leave the platform out, or lock the base for it first",
            )
        if lock.interpreter != request.interpreter:
            raise FatalError(
                f"base `{request.base.reference}` has its Python from {lock.interpreter}, "
                f"and this request from {request.interpreter}",
                f"set `interpreter: {lock.interpreter}`",
            )


def _check_engines(request: Request, names: Sequence[str]) -> None:
    used: list[tuple[str, CondaEngine | PypiEngine, str]] = []
    if request.interpreter == "conda":
        name = engine_of("conda", request.engines)
        used.append((name, conda_engine(name), DEFAULTS["conda"]))
    if any(not item.constraint for item in request.pypi):
        name = engine_of("pypi", request.engines)
        used.append((name, pypi_engine(name), DEFAULTS["pypi"]))
    for name, engine, default in used:
        lacking = engine.missing()
        if lacking is not None:
            raise FatalError(f"engine `{name}` cannot run here", lacking)
        for platform in names:
            refused = engine.cannot(platform)
            if refused is not None:
                raise FatalError(
                    f"engine {refused}", f"lock it on such a machine, leave it out, or let `{default}` solve it"
                )
