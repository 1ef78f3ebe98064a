"""Rules about CODEOWNERS: GitHub can read all of it, and every file of an environment has an owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from envtag import codeowners
from envtag.codeowners import CodeOwners
from envtag.errors import FatalError
from envtag.findings import Finding

if TYPE_CHECKING:
    from envtag.checking.files import PlainFiles
    from envtag.checking.scope import Scope
    from envtag.checking.subject import Subject

_PROTECTED = (".github/workflows/x.yml", "pyproject.toml")
_HINT = "add a line with an owner, the last that matches counts: `/envs/{name}/ @organisation/team`"


@dataclass(frozen=True, kw_only=True)
class Owners:
    """CODEOWNERS as it is in the work tree.

    Attributes:
        path: Which of the places it is in; empty for none.
        text: Its content.
        problem: Why it does not count, empty where it does.
    """

    path: str = ""
    text: str = ""
    problem: str = ""

    @cached_property
    def parsed(self) -> CodeOwners:
        """Its lines."""
        return CodeOwners.parse(self.text)


def read_owners(files: PlainFiles) -> Owners:
    """Read the file that GitHub takes."""
    for path in codeowners.PLACES:
        try:
            data = files.read(path)
        except FatalError as error:
            return Owners(path=path, problem=error.message)
        if data is None:
            continue
        if len(data) >= codeowners.SIZE_LIMIT:
            return Owners(path=path, problem=f"`{path}` has {len(data)} bytes, and GitHub ignores what has over 3 MB")
        return Owners(path=path, text=data.decode("utf-8", "replace"))
    return Owners()


def of_file(owners: Owners, scope: Scope) -> Iterator[Finding]:
    """What is wrong with the file itself: an error where the change is about it."""
    rule = "codeowners-parse"
    touched = scope.whole or owners.path in scope.paths
    if owners.problem:
        yield Finding(rule=rule, severity="error", message=owners.problem, path=owners.path)
        return
    for mistake in owners.parsed.mistakes:
        yield Finding(
            rule=rule,
            severity="error" if touched else "warning",
            message=f"GitHub skips a line of `{owners.path}`: {mistake.reason}",
            hint="what it was to protect has no owner now, or an earlier line's",
            path=owners.path,
            line=mistake.line,
        )
    if not owners.parsed.rules:
        if scope.names:
            message = "no environment has an owner: there is no CODEOWNERS with a line in it"
            hint = "name who reviews what, for example `/envs/ @organisation/team`"
            yield Finding(rule="codeowners-cover", severity="warning", message=message, hint=hint, path=owners.path)
        return
    bare = [path for path in (*_PROTECTED, owners.path) if touched and not owners.parsed.owners(path)]
    for path in bare:
        place = path.rpartition("/")[0] or path
        message = f"`{place}` has no owner: who changes it changes the rules of review"
        yield Finding(
            rule="codeowners-cover", severity="warning", message=message, hint=f"`/{place} @owner`", path=owners.path
        )


def findings(subject: Subject, owners: Owners) -> Iterator[Finding]:
    """Which files of an environment nobody owns; one finding says it of all."""
    if subject.now is None or not owners.parsed.rules:
        return
    bare = [path for path in subject.files if not owners.parsed.owners(path)]
    if not bare:
        return
    rule = owners.parsed.rule(bare[0])
    why = f": line {rule.line} of `{owners.path}` takes its owners away" if rule is not None else ""
    what = f"`{subject.name}`" if len(bare) == len(subject.files) else f"`{bare[0]}`"
    yield Finding(
        rule="codeowners-cover",
        severity="error",
        message=f"{what} has no owner{why}",
        hint=_HINT.format(name=subject.name),
        path=owners.path,
        line=rule.line if rule is not None else 0,
        environment=subject.name,
    )
