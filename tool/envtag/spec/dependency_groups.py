"""Dependency groups (PEP 735) and optional dependencies: names of lists of requirements, which may hold each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.spec.model import refused

if TYPE_CHECKING:
    from envtag.spec.toml_lines import Lines

_GROUPS, _EXTRAS = "[dependency-groups]", "[project.optional-dependencies]"


def group(groups: Mapping[str, Any], name: str, lines: Lines, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The requirements of a group, those of the groups that it includes among them.

    Args:
        groups: Normalized name to what `[dependency-groups]` has under it.
        name: Normalized.
        lines: For the places of errors.
        above: The groups that include this one.

    Raises:
        FatalError: A group includes itself or one that is not there, or an entry is neither text nor an include.
    """
    items = groups[name]
    if not isinstance(items, list):
        raise FatalError(f"{lines.of(name, table=_GROUPS)}: the group `{name}` is not a list")
    for item in items:
        if isinstance(item, str):
            yield item
            continue
        if not isinstance(item, dict) or set(item) != {"include-group"} or not isinstance(item["include-group"], str):
            reason = "an entry of a group is neither a requirement nor `{include-group = …}`"
            raise refused(lines.of(name, table=_GROUPS), str(item), reason)
        included = normalized(item["include-group"])
        origin = lines.of("include-group", table=_GROUPS)
        if included in (*above, name):
            raise refused(origin, included, f"it includes itself: {' → '.join((*above, name, included))}")
        if included not in groups:
            raise refused(origin, included, "there is no such group", _known(groups))
        yield from group(groups, included, lines, (*above, name))


def optional(
    extras: Mapping[str, Any], project: str, name: str, lines: Lines, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """The requirements of an extra; where the project needs its own extras by name, those of these.

    Args:
        extras: Normalized name to what `[project.optional-dependencies]` has under it.
        project: The project's normalized name, empty for none.
        name: Normalized.
        lines: For the places of errors.
        above: The extras that ask for this one.

    Raises:
        FatalError: An extra asks for itself or for one that is not there, or is no list of texts.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for item in lines.texts(extras[name], f"the extra `{name}`", f"{name} =", name):
        try:
            own = Requirement(item)
        except InvalidRequirement:  # whoever reads it as a requirement says so, with its place
            yield item
            continue
        if not project or normalized(own.name) != project or own.url:
            yield item
            continue
        for other in sorted(map(normalized, own.extras)):
            origin = lines.quoted(item, table=_EXTRAS)
            if other in (*above, name):
                raise refused(origin, item, f"it asks for itself: {' → '.join((*above, name, other))}")
            if other not in extras:
                raise refused(origin, item, f"there is no extra `{other}`", _known(extras))
            yield from optional(extras, project, other, lines, (*above, name))


def by_name(table: Mapping[str, Any], what: str, lines: Lines) -> dict[str, Any]:
    """A table by normalized names (PEP 503, as PEP 735 and PEP 685 want).

    Raises:
        FatalError: Two names are one.
    """
    found: dict[str, Any] = {}
    for name, value in table.items():
        if normalized(name) in found:
            raise refused(lines.of(name), name, f"two {what} have this name but for case, `-`, `_` and `.`")
        found[normalized(name)] = value
    return found


def normalized(name: str) -> str:
    """A name as PEP 503 compares it."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _known(names: Mapping[str, Any]) -> str:
    return f"there are {', '.join(f'`{name}`' for name in sorted(names)) or 'none'}"
