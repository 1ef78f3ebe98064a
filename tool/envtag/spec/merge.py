"""Several spec files as one: everything that any of them asks for, and an error where two contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import TypeVar

from envtag.errors import FatalError
from envtag.request import Sources
from envtag.spec.dependency_groups import normalized
from envtag.spec.environment import parse_environment
from envtag.spec.model import Part, Placed, Spec, SpecFile, kind_of
from envtag.spec.pypi_options import check_hashes, check_no_index, pypi_options
from envtag.spec.pyproject import parse_pyproject
from envtag.spec.python_constraint import python_constraint
from envtag.spec.requirements import ReadInclude, parse_requirements
from envtag.spec.variants import links_of, own_parts
from envtag.util.text import shown

_Item = TypeVar("_Item")


def parse(
    files: Sequence[SpecFile],
    read_include: ReadInclude | None,
    *,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    variants: Mapping[str, Sequence[SpecFile]] | None = None,
) -> Spec:
    """Read spec files and merge them, in order.

    Args:
        files: The specs; their names say their kinds.
        read_include: Gives the bytes of a file that a requirements file includes, by its relative path; raises
            `FatalError` where there is none. None where nothing can be included.
        extras: Names of optional dependencies that are asked for of the projects among them.
        groups: Names of dependency groups that are asked for of these.
        variants: Variant of a platform to the specs that are for it alone, in order.

    Raises:
        FatalError: One is malformed, or two contradict each other; names file, line and text, or both places.
    """
    parts = [_parse_one(file, read_include, extras, groups) for file in files]
    _check_named("extra", extras, {name for part in parts for name in part.extras})
    _check_named("dependency group", groups, {name for part in parts for name in part.groups})
    names = {variant: [file.name for file in own] for variant, own in (variants or {}).items()}
    read = {
        file.name: _parse_one(file, read_include, (), ()) for own in (variants or {}).values() for file in own
    }  # each once, though several variants name it
    every = [*parts, *own_parts(names, read)]
    pythons = [placed.value for part in parts for placed in part.pythons]
    given = [item for part in parts for item in part.options]
    options = pypi_options(given)
    check_no_index(options, given, [placed for part in every for placed in (*part.index_urls, *part.extra_index_urls)])
    check_hashes([item for part in every for item in part.pypi], options)
    sources = {variant: _sources(parts, [read[name] for name in own]) for variant, own in names.items()}
    return Spec(
        conda=_unique(item for part in every for item in part.conda),
        pypi=_unique(item for part in every for item in part.pypi),
        channels=_channels([part.channels for part in parts]),
        index_url=_index([placed for part in parts for placed in part.index_urls]),
        extra_index_urls=_unique(placed.value for part in parts for placed in part.extra_index_urls),
        python=python_constraint(",".join(pythons)) if pythons else "",
        platforms=_platforms([part.platforms for part in parts if part.platforms]),
        pypi_options=options,
        logins=_unique(item for part in every for item in part.logins),
        variants={variant: own for variant, own in sources.items() if own != Sources()},
    )


def _sources(parts: Sequence[Part], own: Sequence[Part]) -> Sources:
    """Where the packages of a variant come from by its own specs, in no contradiction to those of its environment."""
    _channels([part.channels for part in (*own, *parts)])
    _index([placed for part in (*parts, *own) for placed in part.index_urls])
    return Sources(
        channels=_channels([part.channels for part in own]),
        index_url=_index([placed for part in own for placed in part.index_urls]),
        extra_index_urls=_unique(placed.value for part in own for placed in part.extra_index_urls),
        find_links=links_of(own),
    )


def _check_named(what: str, asked: Sequence[str], known: AbstractSet[str]) -> None:
    """Refuse an extra or a group that no project has."""
    for name in asked:
        if normalized(name) not in known:
            listed = ", ".join(f"`{item}`" for item in sorted(known)) or "none"
            raise FatalError(f"no pyproject.toml has the {what} {shown(name)}", f"there are {listed}")


def _parse_one(file: SpecFile, read_include: ReadInclude | None, extras: Sequence[str], groups: Sequence[str]) -> Part:
    kind = kind_of(file.name)
    if kind == "requirements":
        return parse_requirements(file, read_include)
    return parse_environment(file) if kind == "environment" else parse_pyproject(file, extras, groups)


def _unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))


def _index(indices: Sequence[Placed]) -> str:
    """The one default index; the same one again is fine."""
    for other in indices[1:]:
        if other.value.rstrip("/") != indices[0].value.rstrip("/"):
            raise FatalError(
                f"two default indices: {shown(indices[0].value)} in {indices[0].origin}, "
                f"{shown(other.value)} in {other.origin}",
                "keep one as `--index-url`; further ones are `--extra-index-url`",
            )
    return indices[0].value if indices else ""


def _channels(lists: Sequence[Sequence[Placed]]) -> tuple[str, ...]:
    """The channels of all files, each file's order kept, since the order is their priority."""
    first: dict[str, Placed] = {}
    for channels in lists:
        for placed in channels:
            first.setdefault(placed.value, placed)
    order = list(first)
    for channels in lists:
        unique = list(dict.fromkeys(placed.value for placed in channels))
        for higher, lower in pairwise(unique):
            if order.index(higher) > order.index(lower):
                place = next(placed.origin for placed in channels if placed.value == higher)
                raise FatalError(
                    f"channels in two orders: {shown(lower)} comes first in {first[lower].origin}, "
                    f"{shown(higher)} in {place}",
                    "list the channels in one order: it is their priority",
                )
    return tuple(order)


def _platforms(lists: Sequence[Sequence[Placed]]) -> tuple[str, ...]:
    """The platforms that the files agree on."""
    for other in lists[1:]:
        if {placed.value for placed in other} != {placed.value for placed in lists[0]}:
            raise FatalError(
                f"two lists of platforms: {_listed(lists[0])} in {lists[0][0].origin.file}, "
                f"{_listed(other)} in {other[0].origin.file}",
                "list the platforms once",
            )
    return _unique(placed.value for placed in lists[0]) if lists else ()


def _listed(platforms: Iterable[Placed]) -> str:
    return ", ".join(f"`{placed.value}`" for placed in platforms)
