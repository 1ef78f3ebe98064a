"""Ledgers and specs: merged by meaning where that is clear, and left to git's merge of the text otherwise."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.ledger import Ledger
from envtag.ledger_merge import merge_ledgers
from envtag.names import alias_from_ref
from envtag.registry.environment import ENVIRONMENTS
from envtag.spec_merge import UnclearError, merge_specs

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.merging.model import Versions
    from envtag.util.process import Completed

#: Longer than any line of signs that a person writes, so that the markers of a trial merge are told from the text.
_LONG_MARKER = 61
_FAILED = 127  # `git merge-file` counts conflicts up to here


def merge_ledger_file(versions: Versions, git: Git) -> tuple[str, ...]:
    """Merge a `tags.yml`.

    Returns:
        What is left as a conflict: tags and pointers, or the path itself where it was merged as text.

    Raises:
        FatalError: A version cannot be read, or git cannot merge them.
    """
    try:
        base, ours, theirs = (
            Ledger.parse(data, f"{versions.path} ({side})") if data.strip() else Ledger()
            for data, side in zip(versions.read(), ("base", "ours", "theirs"), strict=True)
        )
    except FatalError:  # half merged before, or not a ledger: then it is text
        return merge_text(versions, git)
    merged = merge_ledgers(base, ours, theirs, published=_published(versions.path, git), marker=versions.marker)
    versions.write(merged.data)
    return merged.conflicts


def merge_spec_file(versions: Versions, git: Git) -> tuple[str, ...]:
    """Merge an `environment.yml` or a requirements file.

    Returns:
        The path where it is left as a conflict, else nothing.

    Raises:
        FatalError: A version cannot be read, or git cannot merge them.
    """
    base, ours, theirs = versions.read()
    trial = _merge_file(versions, git, _LONG_MARKER, "--diff3")
    if 0 < trial.returncode <= _FAILED:
        try:
            name = PurePosixPath(versions.path).name
            merged = merge_specs(name, base, ours, theirs, conflicted=trial.stdout, marker=_LONG_MARKER)
        except UnclearError:
            return merge_text(versions, git)
        versions.write(merged)
        return ()
    return merge_text(versions, git)


def merge_text(versions: Versions, git: Git) -> tuple[str, ...]:
    """Merge a file as git merges any text, with its conflict markers.

    Returns:
        The path where it is left as a conflict, else nothing.

    Raises:
        FatalError: Git cannot merge it; our version stays.
    """
    done = _merge_file(versions, git, versions.marker)
    if done.returncode > _FAILED:
        raise done.failure(f"`{versions.path}` cannot be merged as text", "correct it by hand, then `git add` it")
    versions.write(done.stdout)
    return (versions.path,) if done.returncode else ()


def _merge_file(versions: Versions, git: Git, marker: int, *options: str) -> Completed:
    files = [str(path.absolute()) for path in (versions.ours, versions.base, versions.theirs)]
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    return git.run("merge-file", "-p", "--quiet", f"--marker-size={marker}", *labels, *options, "--", *files)


def _published(path: str, git: Git) -> frozenset[str]:
    """The tags of an environment whose git tags are here."""
    name = str(PurePosixPath(path).parent).removeprefix(f"{ENVIRONMENTS}/")
    done = git.run("for-each-ref", "--format=%(refname)", f"refs/tags/{name}@*", check="cannot list tags")
    aliases = (alias_from_ref(ref) for ref in done.text().splitlines())
    return frozenset(alias.tag for alias in aliases if alias is not None and alias.name == name)
