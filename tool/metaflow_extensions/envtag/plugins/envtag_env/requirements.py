"""What decorators ask for, merged into one requirement a step; pure, and without Metaflow.

The rules: at one level, scalars must agree and packages are combined. A step overrides its flow by key, a step's
`@named_env` replaces the flow's whole environment, `@conda` and `@pypi` extend what is in force. `disabled=True` on a
step wins; on a flow it holds for the steps that ask for nothing themselves. What is fetched at execution is taken as it
is, so that nothing may be added to it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Sequence, Tuple

#: Decorators of a level: their names (without `_base`) and attributes.
Decorated = Tuple[str, Mapping[str, Any]]
Packages = Dict[str, Tuple[str, str]]

_VARIABLE = re.compile(r"@\{([^{}]*)(\}?)")
_EXTRAS = re.compile(r"\[.*\]$", re.DOTALL)
#: What becomes of `3.10`, `3.20` where they are taken for numbers.
_SHORTENED = (3.1, 3.2, 3.3)


class RequirementError(ValueError):
    """What decorators say is malformed, or contradicts itself."""


class Level(NamedTuple):
    """What the decorators of one step, or of one flow, say together.

    Attributes:
        kinds: The decorators that are there, by name without `_base`.
        name: `name=` of `@named_env`; empty for none.
        pathspec: `pathspec=` of `@named_env`; empty for none.
        fetch_at_exec: As given, or None.
        disabled: As given, or None.
        python: A constraint on Python; empty for none.
        conda: Name of a conda package to how it was written and its version.
        channels: conda channels, in order.
        pypi: Normalized name of a PyPI package to how it was written and its version.
        extra_indices: Further PyPI indices, in order.
        sys_packages: Name of a virtual package to its name and version.
    """

    kinds: tuple[str, ...] = ()
    name: str = ""
    pathspec: str = ""
    fetch_at_exec: bool | None = None
    disabled: bool | None = None
    python: str = ""
    conda: Packages = {}  # noqa: RUF012 - never changed
    channels: tuple[str, ...] = ()
    pypi: Packages = {}  # noqa: RUF012 - never changed
    extra_indices: tuple[str, ...] = ()
    sys_packages: Packages = {}  # noqa: RUF012 - never changed

    @property
    def asks(self) -> bool:
        """Whether it asks for an environment by itself."""
        return bool(self.name or self.pathspec or self.disabled is False or {"conda", "pypi"} & set(self.kinds))


class StepRequirement(NamedTuple):
    """What one step is to run in.

    Attributes:
        disabled: It runs in the launcher's Python; nothing else is said then.
        name: The alias or full id of the named environment; empty for none. `@{VAR}` is not substituted yet.
        pathspec: The step whose environment it is; empty for none. `@{VAR}` is not substituted yet.
        fetch_at_exec: Whether that is looked up when the task starts.
        python: A constraint on Python; empty for none.
        conda: conda package (`name`, or `channel::name`) to version, empty for any.
        channels: conda channels, in order.
        pypi: PyPI package (`name`, or `name[extra]`) to version, empty for any.
        extra_indices: Further PyPI indices, in order.
        sys_packages: Virtual package to version.
    """

    disabled: bool = False
    name: str = ""
    pathspec: str = ""
    fetch_at_exec: bool = False
    python: str = ""
    conda: Mapping[str, str] = {}
    channels: tuple[str, ...] = ()
    pypi: Mapping[str, str] = {}
    extra_indices: tuple[str, ...] = ()
    sys_packages: Mapping[str, str] = {}

    def document(self) -> dict[str, Any]:
        """The requirement as JSON values; what is at its default is left out."""
        return {
            field: dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
            for field, value in zip(self._fields, self)
            if value not in (False, "", (), {})
        }


DISABLED = StepRequirement(disabled=True)


def check_flow(kinds: Iterable[str]) -> None:
    """Refuse decorators that contradict each other on a flow.

    Args:
        kinds: The names of the flow's decorators.

    Raises:
        RequirementError: A named environment, and something that defines one.
    """
    present = set(kinds)
    for other in ("conda_base", "pypi_base"):
        if {"named_env_base", other} <= present:
            raise RequirementError(
                f"Conflicting decorators: @named_env_base cannot be combined with @{other} at the flow level. "
                f"A named environment is resolved already: extend it with @{other[:-5]} on the steps that need more"
            )


def level(decorators: Sequence[Decorated], where: str) -> Level:
    """What the decorators of a step or a flow say together.

    Args:
        decorators: Name (with or without `_base`) and attributes of each.
        where: What they decorate (`step train`), for errors.

    Raises:
        RequirementError: One is malformed, or two of them contradict each other.
    """
    found = Level()
    for written, attributes in decorators:
        kind = written[: -len("_base")] if written.endswith("_base") else written
        one = _one(kind, attributes, f"@{written} of {where}")
        found = _combined(found, one, where)
    if found.name and found.pathspec:
        raise RequirementError(
            f"{where}: `name` and `pathspec` of a named environment exclude each other: give one of them"
        )
    return found


def merged(flow: Level, step: Level, where: str) -> StepRequirement:
    """What a step is to run in.

    Args:
        flow: What the flow's decorators say.
        step: What the step's say.
        where: The step, for errors.

    Raises:
        RequirementError: Something is added to what is fetched at execution, or nothing is named that could be.
    """
    if step.disabled or (flow.disabled and not step.asks):
        return DISABLED
    force = step if step.name or step.pathspec else _over(flow, step)
    named = force.name or force.pathspec
    more = force.conda or force.pypi or force.sys_packages or force.python or force.channels or force.extra_indices
    if force.fetch_at_exec and not named:
        raise RequirementError(f"{where}: `fetch_at_exec` needs `name` or `pathspec`: say what is to be fetched")
    if force.fetch_at_exec and more:
        raise RequirementError(
            f"{where}: nothing can be added to an environment with `fetch_at_exec`, which is not known before the "
            "task starts: leave out its packages, channels and Python, or `fetch_at_exec`"
        )
    if not named and not {"conda", "pypi"} & set(force.kinds):
        return DISABLED
    return StepRequirement(
        name=force.name,
        pathspec=force.pathspec,
        fetch_at_exec=bool(force.fetch_at_exec),
        python=force.python,
        conda=dict(sorted(force.conda.values())),
        channels=force.channels,
        pypi=dict(sorted(force.pypi.values())),
        extra_indices=force.extra_indices,
        sys_packages=dict(sorted(force.sys_packages.values())),
    )


def substitute(text: str, variables: Mapping[str, str], where: str) -> str:
    """Replace each `@{VAR}` in a text.

    Args:
        text: An alias or a pathspec.
        variables: Their values.
        where: The step, for errors.

    Raises:
        RequirementError: One is not set, or malformed.
    """

    def value(match: re.Match[str]) -> str:
        name, closed = match.groups()
        if not closed or not name:
            raise RequirementError(f"{where}: `{text}` has a malformed variable: write `@{{NAME}}`")
        if name not in variables:
            raise RequirementError(f"{where}: `{text}` needs the variable {name}, which is not set: `export {name}=…`")
        return variables[name]

    return _VARIABLE.sub(value, text)


def _one(kind: str, attributes: Mapping[str, Any], where: str) -> Level:
    """What one decorator says."""
    given = {key: value for key, value in attributes.items() if value is not None}
    conda: Packages = {}
    pypi: Packages = {}
    python = _python(given.get("python", ""), where)
    for key in ("libraries", "packages") if kind == "conda" else ():
        found = _packages(given.get(key, {}), where, lambda name: name.rpartition("::")[2].strip().lower())
        conda = _union(conda, found, where)
    if "python" in conda:
        python = _agreed(python, _python(conda.pop("python")[1], where), "python", where)
    if kind == "pypi":
        pypi = _packages(given.get("packages", {}), where, _normalized)
    virtual = _packages(given.get("packages", {}), where, str) if kind == "sys_packages" else {}
    for name in virtual:
        if not name.startswith("__"):
            raise RequirementError(f"{where}: `{name}` is no virtual package: their names begin with `__` (`__cuda`)")
    return Level(
        kinds=(kind,),
        name=_text(given.get("name", ""), "name", where),
        pathspec=_text(given.get("pathspec", ""), "pathspec", where),
        fetch_at_exec=_flag(given.get("fetch_at_exec"), "fetch_at_exec", where),
        disabled=_flag(given.get("disabled"), "disabled", where),
        python=python,
        conda=conda,
        channels=_list(given.get("channels", ()), "channels", where),
        pypi=pypi,
        extra_indices=_list(given.get("extra_indices", ()), "extra_indices", where),
        sys_packages=virtual,
    )


def _combined(one: Level, other: Level, where: str) -> Level:
    """Two decorators of one level."""
    return Level(
        kinds=(*one.kinds, *other.kinds),
        name=one.name or other.name,
        pathspec=one.pathspec or other.pathspec,
        fetch_at_exec=one.fetch_at_exec if one.fetch_at_exec is not None else other.fetch_at_exec,
        disabled=_agreed(one.disabled, other.disabled, "disabled", where),
        python=_agreed(one.python, other.python, "python", where),
        conda=_union(one.conda, other.conda, where),
        channels=tuple(dict.fromkeys((*one.channels, *other.channels))),
        pypi=_union(one.pypi, other.pypi, where),
        extra_indices=tuple(dict.fromkeys((*one.extra_indices, *other.extra_indices))),
        sys_packages=_union(one.sys_packages, other.sys_packages, where),
    )


def _over(flow: Level, step: Level) -> Level:
    """A step over its flow, key by key."""
    return Level(
        kinds=(*flow.kinds, *step.kinds),
        name=flow.name,
        pathspec=flow.pathspec,
        fetch_at_exec=flow.fetch_at_exec if step.fetch_at_exec is None else step.fetch_at_exec,
        python=step.python or flow.python,
        conda={**flow.conda, **step.conda},
        channels=step.channels or flow.channels,
        pypi={**flow.pypi, **step.pypi},
        extra_indices=step.extra_indices or flow.extra_indices,
        sys_packages={**flow.sys_packages, **step.sys_packages},
    )


def _agreed(one: Any, other: Any, what: str, where: str) -> Any:
    if one in ("", None) or one == other:
        return other
    if other in ("", None):
        return one
    raise RequirementError(f"{where}: its decorators contradict each other: {what}={one} and {what}={other}")


def _union(one: Packages, other: Packages, where: str) -> Packages:
    for name in sorted(set(one) & set(other)):
        if one[name] != other[name]:
            texts = [f"`{written} {version}`".replace(" `", "`") for written, version in (one[name], other[name])]
            raise RequirementError(f"{where}: `{name}` is asked for twice, as {' and as '.join(texts)}")
    return {**one, **other}


def _packages(value: Any, where: str, key: Any) -> Packages:
    """A table of packages; as text too, since that is how `--with` hands it on."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise RequirementError(f"{where}: `{value}` is no table of packages and versions") from None
    if not isinstance(value, Mapping):
        raise RequirementError(f"{where}: packages are a table of names and versions, not {value!r}")
    found: Packages = {}
    for name, version in value.items():
        if not isinstance(name, str) or not name.strip():
            raise RequirementError(f"{where}: {name!r} is not the name of a package")
        if not isinstance(version, (str, type(None))):
            raise RequirementError(f"{where}: the version of `{name}` is {version!r}: write it in quotes")
        found = _union(found, {key(name): (name.strip(), (version or "").strip())}, where)
    return found


def _normalized(name: str) -> str:
    """A PyPI package's name as PEP 503 has it, without extras."""
    return re.sub(r"[-_.]+", "-", _EXTRAS.sub("", name.strip())).lower()


def _text(value: Any, what: str, where: str) -> str:
    if not isinstance(value, str):
        raise RequirementError(f"{where}: `{what}` is {value!r}, not text")
    return value.strip()


def _python(value: Any, where: str) -> str:
    """A constraint on Python; a float too, since that is what `--with` makes of `python=3.11`."""
    if isinstance(value, float) and value not in _SHORTENED:
        return str(value)
    if not isinstance(value, str):
        raise RequirementError(f'{where}: python={value!r} is not a version in quotes: write `python="3.10"`')
    return value.strip()


def _flag(value: Any, what: str, where: str) -> bool | None:
    """A flag; as text too, since that is how `--with` hands it on."""
    if value is None or isinstance(value, bool):
        return value
    known = {"true": True, "false": False}
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise RequirementError(f"{where}: `{what}` is {value!r}: it is True or False")


def _list(value: Any, what: str, where: str) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise RequirementError(f"{where}: `{what}` is {value!r}, not a list of texts")
    return tuple(item.strip() for item in items if item.strip())
