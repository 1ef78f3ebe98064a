"""The git tags of the environments under check, here and on the remote, without listing those of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git.repository import NETWORK_SECONDS
from envtag.names import parse_name
from envtag.registry.tags import THERE, tag_refs
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.registry import Registry

_HERE = "refs/tags/"
#: From so many environments on, one listing of all tags costs less than their names.
_MANY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A git tag of an environment.

    Attributes:
        tag: What is after the `@`; need not be a legal tag.
        here: The object that it names here, empty for none.
        there: The object that it names on the remote; empty for none, or where that was not asked.
        merged: Whether its commit is on the default branch, as far as that is known.
    """

    tag: str
    here: str = ""
    there: str = ""
    merged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The tags of some environments.

    Attributes:
        found: Name of an environment to its tags, by tag.
        complete: Whether the remote was asked, or there is none: what is not found is not there then.
        problem: Why the remote could not be asked, empty where it was.
    """

    found: Mapping[str, Mapping[str, Tag]] = field(default_factory=dict)
    complete: bool = True
    problem: str = ""

    def of(self, name: str) -> Mapping[str, Tag]:
        """The tags of an environment, by tag."""
        return self.found.get(name, {})

    def is_published(self, name: str, tag: str) -> bool | None:
        """Whether a tag is published; None where that is not known."""
        if tag in self.of(name):
            return True
        return False if self.complete else None


def read_tags(registry: Registry, names: Sequence[str], default: str | None, *, branch: str | None = None) -> Tags:
    """Read the tags of some environments; those of the remote are here afterwards, under refs of our own.

    Args:
        registry: The registry.
        names: The environments' names; malformed ones have no tags.
        default: The newest commit of the default branch that is here; None where none is known.
        branch: The head of the branch that they live on, where that is another one.
    """
    legal = [name for name in names if _is_legal(name)]
    problem = ""
    asked = registry.remote is not None and not registry.offline and bool(legal)
    if asked:
        try:
            default = _ask(registry, legal) or default
        except FatalError as error:
            problem = error.message
    there = asked and not problem
    default = branch or default
    here = _list(registry, _HERE, legal, "")
    theirs = _list(registry, THERE, legal, "") if there else {}
    unmerged = {
        *(_list(registry, _HERE, legal, default) if default else ()),
        *(_list(registry, THERE, legal, default) if default and there else ()),
    }
    found: dict[str, dict[str, Tag]] = {}
    wanted = set(legal)
    for key in {**here, **theirs}:
        name, _, tag = key.partition("@")
        if name in wanted:
            found.setdefault(name, {})[tag] = Tag(
                tag=tag, here=here.get(key, ""), there=theirs.get(key, ""), merged=key not in unmerged
            )
    return Tags(found=found, complete=there or registry.remote is None or not legal, problem=problem)


def _ask(registry: Registry, names: Sequence[str]) -> str | None:
    """Fetch the tags of the remote and the head of its default branch; the commit of that."""
    if len(names) > _MANY:
        tag_refs(registry)
        return registry.fetch_default_branch()
    private = f"refs/envtag/{registry.remote}/head"
    specs = [f"+{_HERE}{name}@*:{THERE}{name}@*" for name in names]
    options = ("--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-recurse-submodules")
    with file_lock(registry.git.common_directory / "envtag" / "check.lock"):
        done = registry.git.run(
            "fetch", *options, "--", str(registry.remote), f"+HEAD:{private}", *specs, timeout=NETWORK_SECONDS
        )
    if done.returncode != 0:
        raise done.failure(f"`{registry.remote}` cannot be asked for its tags")
    return registry.git.commit_of(private)


def _list(registry: Registry, prefix: str, names: Sequence[str], unmerged: str) -> dict[str, str]:
    """The tags below a prefix (`NAME@TAG`) to the objects that they name; only those outside of a commit's history."""
    patterns = [prefix] if len(names) > _MANY else [f"{prefix}{name}@*" for name in names]
    if not patterns:
        return {}
    options = ["--format=%(objectname) %(refname)", *([f"--no-merged={unmerged}"] if unmerged else [])]
    done = registry.git.run("for-each-ref", *options, *patterns, check="cannot list tags")
    pairs = (line.split(" ", 1) for line in done.text().splitlines())
    return {ref.removeprefix(prefix): sha for sha, ref in pairs if "@" in ref}


def _is_legal(name: str) -> bool:
    try:
        parse_name(name)
    except FatalError:
        return False
    return True
