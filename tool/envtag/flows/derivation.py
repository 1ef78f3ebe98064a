"""The request of an environment that a step defines, or that adds to a named one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from envtag.compose import compose
from envtag.engines.python_version import permits
from envtag.errors import FatalError
from envtag.request import Base, CondaRequirement, Origin, PypiRequirement, Request
from envtag.settings import EnvironmentSettings, RegistrySettings
from envtag.spec import Spec, python_constraint
from envtag.spec.conda_spec import canonical_channel, parse_conda
from envtag.spec.model import located
from envtag.spec.pep508 import parse_requirement

if TYPE_CHECKING:
    from envtag.flows.wanted import Ground, Wanted

_OPERATOR = re.compile(r"[=<>!~]")
_NAMES = re.compile(r"[-_.]+")


def derived_request(
    wanted: Wanted, needs: Mapping[str, str], platform: str, ground: Ground | None, defaults: RegistrySettings
) -> Request:
    """What is asked of the solvers.

    Args:
        wanted: What a step asks for.
        needs: PyPI package that the ground lacks and that must be there to a constraint on its version.
        platform: Where it is for.
        ground: The named environment whose packages are kept, or None.
        defaults: The registry's settings.

    Raises:
        FatalError: A requirement is malformed, or contradicts the named environment.
    """
    origin = Origin(file=f"step {', '.join(wanted.steps)}" if wanted.steps else "the step")
    conda = [_conda(name, version, origin) for name, version in sorted(wanted.conda.items())]
    pypi = [_pypi(name, version, origin) for name, version in sorted(wanted.pypi.items())]
    for_conda, for_pypi = _needs(wanted, needs, ground, defaults)
    conda += [parse_conda(f"{name} {version}".strip(), _METAFLOW) for name, version in for_conda.items()]
    pypi += [parse_requirement(f"{name}{version}", _METAFLOW) for name, version in for_pypi.items()]
    settings = EnvironmentSettings(
        spec=(),
        python=_python(wanted, ground),
        platforms=(platform,),
        channels=tuple(_channel(text, origin) for text in wanted.channels),
        extra_index_urls=tuple(wanted.extra_indices),
        virtual_packages={platform: dict(wanted.sys_packages)} if wanted.sys_packages else {},
    )
    spec = Spec(conda=tuple(conda), pypi=tuple(pypi))
    if ground is None:
        return compose(settings, spec, defaults)
    found, lock = ground.found, ground.lock
    return compose(
        settings,
        spec,
        defaults,
        base=Base(
            reference=str(found.alias),
            request=lock.request,
            locks={name: found.lock_id(name) for name in found.platforms},
        ),
        base_interpreter=lock.interpreter,
        base_channels=lock.channels,
    )


_METAFLOW = Origin(file="what Metaflow needs")


def _conda(name: str, version: str, origin: Origin) -> CondaRequirement:
    """`1.5.0` is that version exactly, as in Metaflow; anything with an operator, a glob or a choice is as written."""
    exact = bool(version) and not _OPERATOR.match(version) and not re.search(r"[*,| ]", version)
    return parse_conda(f"{name} {'==' if exact else ''}{version}".strip(), origin)


def _pypi(name: str, version: str, origin: Origin) -> PypiRequirement:
    if version.startswith("@"):
        return parse_requirement(f"{name} {version}", origin)
    return parse_requirement(f"{name}{'' if not version or _OPERATOR.match(version) else '=='}{version}", origin)


def _channel(text: str, origin: Origin) -> str:
    with located(origin, text):
        return canonical_channel(text)


def _python(wanted: Wanted, ground: Ground | None) -> str:
    if not wanted.python or ground is None:
        return wanted.python
    constraint = python_constraint(wanted.python)
    if ground.lock.python and not permits(constraint, ground.lock.python):
        raise FatalError(
            f"`{ground.found.alias}` has Python {ground.lock.python}, and `{wanted.python}` is asked for",
            "an environment that extends another one has its Python: leave it out, or name another environment",
        )
    return wanted.python


def _needs(
    wanted: Wanted, needs: Mapping[str, str], ground: Ground | None, defaults: RegistrySettings
) -> tuple[dict[str, str], dict[str, str]]:
    """What is needed, from conda and from PyPI: from conda only where nothing else comes from PyPI.

    What the step asks for itself, in whichever version, is not asked for again.
    """
    asked = {_NAMES.sub("-", re.sub(r"\[.*|.*::", "", name)).lower() for name in (*wanted.conda, *wanted.pypi)}
    missing = {name: version for name, version in sorted(needs.items()) if name not in asked}
    if ground is not None:
        by_conda = ground.lock.interpreter == "conda" and not ground.lock.by_manager("pypi")
    else:
        by_conda = bool(wanted.conda or wanted.channels or (defaults.channels and defaults.interpreter != "uv"))
    return (missing, {}) if by_conda and not wanted.pypi else ({}, missing)
