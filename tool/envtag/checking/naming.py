"""Rules about names: legal, not the same as another one where case does not count, and free as git refs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.registry.environment import ENVIRONMENTS

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.files import PlainFiles
    from envtag.checking.subject import Subject
    from envtag.findings import Finding


class Neighbours:
    """The directories beside those of environments; each is listed once.

    Args:
        files: The files of the work tree.
    """

    def __init__(self, files: PlainFiles) -> None:
        self._files = files
        self._folded: dict[str, tuple[dict[str, list[str]], dict[str, list[str]]]] = {}

    def like(self, name: str) -> Iterator[tuple[str, str, bool]]:
        """The directories that are the same as, or much like, a name's or one above it.

        Yields:
            The name as far as it goes, the other one, and whether the two are the same where case does not count.
        """
        segments = name.split("/")
        for depth, segment in enumerate(segments):
            above = "/".join(segments[:depth])
            same, alike = self._listed(above)
            for other in alike.get(_alike(segment), []):
                if other != segment:
                    begin = f"{above}/" if above else ""
                    yield f"{begin}{segment}", f"{begin}{other}", other in same.get(segment.casefold(), [])

    def _listed(self, above: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        if above not in self._folded:
            same: dict[str, list[str]] = {}
            alike: dict[str, list[str]] = {}
            for entry in self._files.entries(f"{ENVIRONMENTS}/{above}".rstrip("/")):
                same.setdefault(entry.casefold(), []).append(entry)
                alike.setdefault(_alike(entry), []).append(entry)
            self._folded[above] = same, alike
        return self._folded[above]


def findings(subject: Subject, context: Context, neighbours: Neighbours) -> Iterator[Finding]:
    """What is wrong with the name of an environment."""
    if subject.now is None:
        return
    try:
        parse_name(subject.name)
    except FatalError as error:
        yield subject.finding("name-legal", error.message, error.hint)
    for name, other, same in neighbours.like(subject.name):
        if same:
            message = f"`{name}` and `{other}` are one directory where case does not count"
            yield subject.finding("name-collision", message, "rename one of them")
        elif subject.before is None:
            message = f"`{name}` is easily taken for `{other}`"
            yield subject.finding("name-collision", message, "rename one of them", severity="warning")
    yield from _refs(subject, context)


def _refs(subject: Subject, context: Context) -> Iterator[Finding]:
    """A tag called like a directory of refs makes git refuse every ref in that."""
    segments = subject.name.split("/")
    for depth in range(1, len(segments)):
        ref = f"refs/tags/{'/'.join(segments[:depth])}"
        if re.search(r"[\s~^:?*\[\\]|\.\.", ref) is None and context.registry.git.commit_of(ref) is not None:
            message = f"the git tag `{ref.removeprefix('refs/tags/')}` is in the way of every tag of `{subject.name}`"
            yield subject.finding("ref-clash", message, "remove that tag, or rename the environment")


def _alike(segment: str) -> str:
    return re.sub(r"[-_.]+", "-", segment.casefold())
