"""What is shown of a difference, in which order and in which words: the same for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from envtag.diff import words
from envtag.diff.findings import KINDS

if TYPE_CHECKING:
    from envtag.diff.model import Diff, EnvironmentChange, Finding, PlatformChange, Row, Setting

#: Sections by what they are, the ones that are given up last first.
SectionKind = Literal["red", "overview", "attention", "settings", "direct", "weight", "every", "transitive"]
#: As many findings of one kind are shown one by one; more are one row, and a folded table of their own.
MANY = 6


@dataclass(frozen=True, slots=True)
class Code:
    """A stranger's text, to be escaped; our own words are plain `str`."""

    text: str


Span: TypeAlias = "str | Code"
Cell: TypeAlias = "tuple[Span, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table with a title.

    Attributes:
        kind: What it is.
        title: In words.
        header: A word for each column.
        rows: As many cells each.
        folded: Closed until somebody opens it.
        note: A sentence below it; empty for none.
    """

    kind: SectionKind
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One environment.

    Attributes:
        name: Its name, ours or a stranger's.
        summary: What happened to it, in one line.
        note: What is not known of it; empty for nothing.
        sections: The rest, the most important first.
    """

    name: str
    summary: str
    note: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything.

    Attributes:
        title: What happened, in one line.
        before: The older state in words of the person who asked.
        after: The newer one.
        sections: What is about all environments: red flags, overview, the registry's settings.
        chapters: The environments.
    """

    title: str
    before: str
    after: str
    sections: tuple[Section, ...]
    chapters: tuple[Chapter, ...]


def view(diff: Diff) -> View:
    """A difference as it is shown."""
    changed = diff.environments
    sections = [
        _red(changed),
        _settings("Settings of the registry", diff.registry, "settings"),
        _overview(changed) if len(changed) > 1 else None,
    ]
    return View(
        title=_title(diff),
        before=diff.before,
        after=diff.after,
        sections=tuple(section for section in sections if section is not None and section.rows),
        chapters=tuple(_chapter(item, diff.recent_days) for item in changed),
    )


def _title(diff: Diff) -> str:
    if diff.is_empty:
        return "No environment changed"
    count = len(diff.environments)
    red = sum(finding.severity == "red" for item in diff.environments for finding in item.findings)
    flags = f", {words.count(red, 'red flag')}" if red else ""
    return f"{words.count(count, 'environment')} changed{flags}"


def _red(changed: Sequence[EnvironmentChange]) -> Section:
    found = [(item, finding) for item in changed for finding in item.findings if finding.severity == "red"]
    return Section(
        kind="red",
        title="Red flags",
        header=("environment", "what", "package", "before", "after", "platforms"),
        rows=tuple(((Code(item.name),), *_finding(finding, item)) for item, finding in found),
    )


def _overview(changed: Sequence[EnvironmentChange]) -> Section:
    return Section(
        kind="overview",
        title="Environments",
        header=("environment", "changes"),
        rows=tuple(((Code(item.name),), (words.summary(item),)) for item in changed),
    )


def _chapter(item: EnvironmentChange, recent_days: int) -> Chapter:
    attention = tuple(finding for finding in item.findings if finding.severity != "red")
    kinds = {finding.kind: [one for one in attention if one.kind == finding.kind] for finding in attention}
    told = [row for found in kinds.values() for row in _condensed(found, item)]
    sections = [
        Section(
            kind="attention",
            title="Look at these first",
            header=("what", "package", "before", "after", "platforms"),
            rows=tuple(told),
            note=f"Recent means published less than {words.count(recent_days, 'day')} before, by the date that its "
            "channel or index states."
            if any(finding.kind == "recent" for finding in attention)
            else "",
        ),
        _settings("Requirements", item.requirements, "settings"),
        _settings("Settings", item.settings, "settings"),
        _settings("Releases and pointers", item.ledger, "settings"),
        *_packages(item),
        *(_every(found, item) for found in kinds.values() if len(found) > MANY),
        Section(
            kind="weight",
            title="Sizes",
            header=("platform", "packages", "download", "difference", "most of it", "installed"),
            rows=tuple(_weights(item.platforms)),
            folded=True,
        ),
    ]
    kept = tuple(section for section in sections if section.rows)
    return Chapter(name=item.name, summary=words.summary(item), note=_unknown(item), sections=kept)


def _unknown(item: EnvironmentChange) -> str:
    """What nobody looked into, which is not the same as that there is nothing."""
    if not item.unread:
        return ""
    total = item.unread + item.looked_into
    many = words.count(total, "new archive")
    which = f"the {many}" if item.unread == total else f"{item.unread:,} of the {many}"
    return f"Not looked into, since not on this machine: {which} (activation scripts, install hooks, installed size)."


def _condensed(found: Sequence[Finding], item: EnvironmentChange) -> list[tuple[Cell, ...]]:
    """Findings of one kind, as a row each or as one row for all."""
    if len(found) <= MANY:
        return [_finding(finding, item) for finding in found]
    names = [Code(finding.name) for finding in found[: MANY - 1]]
    shown: Cell = (*_between(names, ", "), f" and {len(found) - len(names)} more, listed below")
    on = sorted({platform for finding in found for platform in finding.platforms})
    return [((KINDS[found[0].kind][1],), shown, (), (), (words.platforms(on, item.total),))]


def _every(found: Sequence[Finding], item: EnvironmentChange) -> Section:
    title = KINDS[found[0].kind][1]
    return Section(
        kind="every",
        title=title[0].upper() + title[1:],
        header=("package", "before", "after", "platforms"),
        rows=tuple(_finding(finding, item)[1:] for finding in found),
        folded=True,
    )


def _packages(item: EnvironmentChange) -> Iterator[Section]:
    if not item.knows_direct:
        note = "Which of them are direct is not known: a lock file alone does not hold what was asked for."
        yield _table("direct", "Packages", item.rows, item, note=note)
        return
    direct = tuple(row for row in item.rows if row.direct)
    transitive = tuple(row for row in item.rows if not row.direct)
    yield _table("direct", "Direct packages", direct, item)
    yield _table("transitive", "Transitive packages", transitive, item, folded=True)


def _table(
    kind: SectionKind, title: str, rows: Sequence[Row], item: EnvironmentChange, *, folded: bool = False, note: str = ""
) -> Section:
    last = ("because of",) if kind == "transitive" else ()
    return Section(
        kind=kind,
        title=title,
        header=("package", "change", "before", "after", "download", "platforms", *last),
        rows=tuple(_row(row, item, why=bool(last)) for row in rows),
        folded=folded,
        note=note,
    )


def _row(row: Row, item: EnvironmentChange, *, why: bool) -> tuple[Cell, ...]:
    before, after = words.versions(row)
    name: Cell = (Code(row.name), " (PyPI)") if row.manager == "pypi" else (Code(row.name),)
    cells: tuple[Cell, ...] = (
        name,
        (words.kind(row.kind, row.level),),
        _code(before),
        _code(after),
        (words.weight_of(row),),
        (words.platforms(row.platforms, item.total),),
    )
    return (*cells, _way(row.why)) if why else cells


def _way(names: Sequence[str]) -> Cell:
    """`jupyterlab > anyio`: the package itself is in its row already."""
    if not names:
        return ("not known",)
    above = names[:-1] or names
    return tuple(_between([Code(name) for name in above], " > "))


def _finding(finding: Finding, item: EnvironmentChange) -> tuple[Cell, ...]:
    on = words.platforms(finding.platforms, item.total) if finding.platforms else ""
    before, after = finding.before, finding.after
    if finding.kind == "hash":
        before, after = words.short_hash(before), words.short_hash(after)
    if finding.kind == "virtual":
        return (KINDS["virtual"][1],), (Code(finding.name),), (), ("for ", Code(after)), (on,)
    return (KINDS[finding.kind][1],), (Code(finding.name),), _code(before), _code(after), (on,)


def _settings(title: str, settings: Sequence[Setting], kind: SectionKind) -> Section:
    rows = tuple(((Code(item.key),), _code(item.before), _code(item.after)) for item in settings)
    return Section(kind=kind, title=title, header=("what", "before", "after"), rows=rows)


def _weights(platforms: Iterable[PlatformChange]) -> Iterator[tuple[Cell, ...]]:
    for item in platforms:
        download, installed = item.download, item.installed
        top = [span for name, delta in download.top for span in (", ", Code(name), f" {words.difference(delta)}")][1:]
        alike = f" ({item.alike} as on other platforms, not listed)" if item.alike else ""
        state = f" ({item.state})" if item.state != "changed" else ""
        known = words.difference(installed.delta) if installed.before or installed.after else "not known"
        partly = f" ({installed.unknown} not known)" if known != "not known" and installed.unknown else ""
        unknown = f" ({download.unknown} not known)" if download.unknown else ""
        yield (
            (item.platform + state,),
            (f"{item.packages}{alike}",),
            (words.megabytes(download.after) + unknown,),
            (words.difference(download.delta),),
            tuple(top),
            (known + partly,),
        )


def _between(spans: Sequence[Span], separator: str) -> Iterator[Span]:
    for number, span in enumerate(spans):
        if number:
            yield separator
        yield span


def _code(text: str) -> Cell:
    return (Code(text),) if text else ()
