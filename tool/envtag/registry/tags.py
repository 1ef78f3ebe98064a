"""All released tags of a registry at once: what its remote has of them, and what is here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import Alias, alias_from_ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envtag.registry.model import Registry

_PATTERN = "refs/tags/*@*"
#: Where tags of the remote are kept here, so that no tag of a person's own changes.
THERE = "refs/envtag/there/"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRefs:
    """The refs that look like released tags; a repository may have such tags of its own.

    Attributes:
        here: Alias to the object that its ref names here.
        there: Alias to the object that its ref names on the remote; None without a remote, or offline.
    """

    here: Mapping[Alias, str]
    there: Mapping[Alias, str] | None

    def aliases(self) -> list[Alias]:
        """Every alias that has a ref here or there, by name and tag."""
        return sorted({*self.here, *(self.there or {})}, key=lambda alias: (alias.name, alias.tag))

    def objects(self, alias: Alias) -> tuple[str, ...]:
        """The objects that an alias means: one, unless here and there differ."""
        found = (self.here.get(alias), (self.there or {}).get(alias))
        return tuple(dict.fromkeys(sha for sha in found if sha is not None))


def tag_refs(registry: Registry, wanted: Alias | None = None) -> TagRefs:
    """Ask for the refs of released tags, here and on the remote; the remote's objects are here afterwards.

    Args:
        registry: The registry.
        wanted: Only this tag.

    Raises:
        FatalError: The remote cannot be reached.
    """
    listed = _local(registry, "refs/tags/")
    here = {alias: sha for alias, sha in listed.items() if wanted in (None, alias)}
    if registry.remote is None or registry.offline:
        return TagRefs(here=here, there=None)
    pattern = _PATTERN if wanted is None else wanted.ref
    there = _aliases(registry.git.remote_refs(registry.remote, pattern))
    _fetch(registry, there, {*here.values(), *_local(registry, THERE).values()})
    return TagRefs(here=here, there=there)


def _fetch(registry: Registry, there: Mapping[Alias, str], known: set[str]) -> None:
    """Fetch tags to refs of our own, so that none here is in the way and none here changes."""
    missing = iter([alias for alias, sha in there.items() if sha not in known])
    while chunk := list(islice(missing, _AT_ONCE)):
        specs = [f"+{alias.ref}:{THERE}{alias.ref.removeprefix('refs/tags/')}" for alias in chunk]
        if not registry.fetch(*specs):
            raise FatalError(
                f"a tag was removed from `{registry.remote}` while its tags were read", "try again; who removes tags?"
            )


def _local(registry: Registry, prefix: str) -> dict[Alias, str]:
    options = ("--format=%(objectname) %(refname)", prefix)
    done = registry.git.run("for-each-ref", *options, check=f"cannot list the tags of `{registry.location}`")
    pairs = (line.split(" ", 1) for line in done.text().splitlines())
    return _aliases({f"refs/tags/{ref.removeprefix(prefix)}": sha for sha, ref in pairs})


def _aliases(refs: Mapping[str, str]) -> dict[Alias, str]:
    found = {alias_from_ref(ref): sha for ref, sha in refs.items()}
    return {alias: sha for alias, sha in found.items() if alias is not None and not alias.mutable}
