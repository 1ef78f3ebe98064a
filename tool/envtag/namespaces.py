"""Open namespaces: names whose environments live on a branch of their own, which needs no review."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import parse_name

if TYPE_CHECKING:
    from envtag.util.yaml_table import Table

#: Before the namespace in the name of its branch.
BRANCHES = "envtag/open/"
_HINT = "write `open = true`, or leave the table out"


def read_open(table: Table) -> tuple[str, ...]:
    """The namespaces that `[tool.envtag.namespaces]` declares open, sorted.

    Args:
        table: That table: a name, or the beginning of names, to a table with `open`.

    Raises:
        FatalError: It is malformed, or one namespace is within another; names file and key.
    """
    found = []
    for name in table:
        where = f"{table.at(name)}: `namespaces.{name}`"
        try:
            parse_name(name)
        except FatalError as error:
            raise FatalError(f"{where}: {error.message}", error.hint) from error
        inner = table.table(name)
        inner.check_keys(("open",))
        if not isinstance(inner.get("open"), bool):
            raise FatalError(f"{where}: `open` is neither `true` nor `false`", _HINT)
        if inner["open"]:
            found.append(name)
    for name in found:
        around = namespace_of(name.rpartition("/")[0], found)
        if around:
            raise FatalError(
                f"{table.at(name)}: `namespaces.{name}`: `{around}` is open already, and `{name}` is within it",
                "remove one of the two",
            )
    return tuple(sorted(found))


def namespace_of(name: str, namespaces: Collection[str]) -> str:
    """The one of some namespaces that a name is in; empty for none."""
    while name and name not in namespaces:
        name = name.rpartition("/")[0]
    return name


def branch_of(namespace: str) -> str:
    """The branch that the environments of an open namespace live on."""
    return f"{BRANCHES}{namespace}"
