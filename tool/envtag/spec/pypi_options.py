"""Options of all spec files as one, and the rule that hashes are stated for every requirement or for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.request import PypiOptions
from envtag.spec.model import Placed, refused
from envtag.spec.pip_options import format_names

if TYPE_CHECKING:
    from envtag.errors import FatalError
    from envtag.request import PypiRequirement

_ALL, _NONE = ":all:", ":none:"


def pypi_options(given: Sequence[tuple[str, Placed]]) -> PypiOptions:
    """The options that were given, in order, as one: what comes later decides about a name, as in pip.

    Args:
        given: Name and value of each; see `Part.options`.
    """
    switches = {name for name, _ in given}
    chosen: dict[str, set[str]] = {"only-binary": set(), "no-binary": set()}
    for option, placed in given:
        if option in chosen:
            other = chosen["no-binary" if option == "only-binary" else "only-binary"]
            _choose(placed.value, chosen[option], other)
    return PypiOptions(
        find_links=tuple(dict.fromkeys(placed.value for name, placed in given if name == "find-links")),
        no_index="no-index" in switches,
        prereleases="pre" in switches,
        only_binary=tuple(sorted(chosen["only-binary"])),
        no_binary=tuple(sorted(chosen["no-binary"])),
        require_hashes="require-hashes" in switches,
    )


def check_no_index(options: PypiOptions, given: Sequence[tuple[str, Placed]], indices: Sequence[Placed]) -> None:
    """Refuse indices beside `--no-index`.

    Raises:
        FatalError: With both places.
    """
    if options.no_index and indices:
        place = next(placed.origin for name, placed in given if name == "no-index")
        raise refused(
            indices[0].origin,
            indices[0].value,
            f"an index is named here, and {place} says `--no-index`",
            "keep one of the two",
        )


def check_hashes(requirements: Sequence[PypiRequirement], options: PypiOptions) -> None:
    """Refuse a requirement without hashes where another one has them, or one that leaves its version open.

    Args:
        requirements: Those of all spec files, constraints among them.
        options: The options of all spec files.

    Raises:
        FatalError: Names file, line and text.
    """
    if not options.require_hashes and not any(item.hashes for item in requirements):
        return
    bounds = {item.name: item for item in requirements if item.constraint}
    for item in requirements:
        if item.constraint:
            continue
        bound = bounds.get(item.name, item)
        if not item.hashes and not bound.hashes:
            raise _refused(item, "it has no hash, and others have", "add `--hash=sha256:…` to it, or remove all hashes")
        if " @ git+" in item.text:
            raise _refused(item, "a commit is held by its own id, not by a hash", "remove the hashes, or name a wheel")
        if not _is_pinned(item.text) and not _is_pinned(bound.text):
            raise _refused(item, "it has hashes and leaves its version open", "pin it: `NAME==VERSION`")


def _refused(item: PypiRequirement, reason: str, hint: str) -> FatalError:
    return refused(item.origin, item.text, reason, hint)


def _is_pinned(text: str) -> bool:
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    exact = [
        item for item in requirement.specifier if item.operator in ("==", "===") and not item.version.endswith("*")
    ]
    return requirement.url is not None or len(exact) > 0


def _choose(value: str, into: set[str], other: set[str]) -> None:
    """`:all:` takes back what both lists had, `:none:` what this one had, and a name leaves the other list."""
    for name in format_names(value):
        if name == _NONE:
            into.clear()
        elif name == _ALL:
            other.clear()
            into.clear()
            into.add(_ALL)
        else:
            other.discard(name)
            into.add(name)
