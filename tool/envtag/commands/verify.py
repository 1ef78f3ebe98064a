"""`envtag verify`: every link from a tag to the bytes, or a created environment file by file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.lookup import find
from envtag.names import Alias, parse_reference, substitute
from envtag.output import Output, megabytes
from envtag.util.text import number_of
from envtag.verification import Finding, Verifier

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.registry import Registry
    from envtag.store import Store
    from envtag.verification import Report

_NOTES = 20


def verify(
    references: Sequence[str],
    *,
    deep: bool,
    as_json: bool,
    registry: Registry,
    store: Store,
    config: Config,
    output: Output,
) -> int:
    """Check every link of environments, and name each that is broken.

    Args:
        references: What to check; nothing for all that the registry has.
        deep: Read and hash every package.
        as_json: Print the findings as a JSON list.
        registry: The registry; its remote is asked.
        store: The store.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0 if every link holds, 1 otherwise.

    Raises:
        FatalError: A reference is malformed, or the remote or the store cannot be reached.
    """
    aliases = [_alias(text, registry, config) for text in references]
    only = aliases[0] if len(aliases) == 1 and not aliases[0].mutable else None
    wanted = Alias(name=only.name, tag=only.tag) if only is not None else None
    verifier = Verifier(registry=registry, store=store, config=config, output=output, wanted=wanted)
    verifier.run(aliases or verifier.every(), deep=deep)
    report = verifier.report
    _tell(report.findings, report.notes, output, as_json=as_json)
    output.say(_summary(report, store))
    return 1 if report.findings else 0


def verify_prefix(prefix: Path, found: Found | None, *, as_json: bool, output: Output) -> int:
    """Compare a created environment with what it was made from, file by file.

    Args:
        prefix: Its directory.
        found: What it must be; None for what it says of itself.
        as_json: Print the findings as a JSON list.
        output: Where it is told.

    Returns:
        0 if every file is right, 1 otherwise.

    Raises:
        FatalError: There is no such directory, it cannot be read, or `found` is not locked for its platform.
    """
    from envtag.prefix.audit import audit
    from envtag.prefix.marker import read

    if not prefix.is_dir():
        raise FatalError(f"`{prefix}` is no directory", "name one that `envtag create` made")
    marker = read(prefix)
    lock = found.lock(marker.platform) if found is not None and marker is not None else None
    result = audit(prefix, lock)
    findings = [
        Finding(
            alias=str(prefix),
            platform="",
            link=fault.kind,
            subject=fault.subject,
            expected=fault.expected,
            found=fault.found,
            hint="`envtag create REF --prefix DIR --force` makes it anew",
        )
        for fault in result.faults
    ]
    _tell(findings, [f"not of any package: {path}" for path in result.extra], output, as_json=as_json)
    broken = f"{number_of(len(findings), 'file')} wrong" if findings else "all as they were installed"
    compared = "" if found is not None else "; give a REF to compare it with a release"
    output.say(f"{number_of(result.files, 'file')} ({megabytes(result.bytes)}) of {prefix}: {broken}{compared}")
    return 1 if findings else 0


def _alias(text: str, registry: Registry, config: Config) -> Alias:
    reference = parse_reference(substitute(text, os.environ))
    return reference if isinstance(reference, Alias) else find(text, registry, config, os.environ).alias


def _tell(findings: list[Finding], notes: list[str], output: Output, *, as_json: bool) -> None:
    if as_json:
        output.json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            output.data(finding.line())
    for note in notes[:_NOTES]:
        output.say(f"note: {note}")
    if len(notes) > _NOTES:
        output.say(f"note: and {len(notes) - _NOTES} more")
    for hint in dict.fromkeys(finding.hint for finding in findings if finding.hint):
        output.say(f"hint: {hint}")


def _summary(report: Report, store: Store) -> str:
    if not report.releases and not report.pointers:
        return f"nothing was checked: there is no release and no environment to check against {store.url}"
    how = f"all {megabytes(report.hashed)} of them read" if report.hashed else "by their sizes"
    counts = (
        (report.releases, "release"),
        (report.pointers, "pointer"),
        (report.manifests, "manifest"),
        (report.objects, "package"),
    )
    told = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    what = f"{told} ({how}) in {store.url}"
    count = len(report.findings)
    links = "1 link is" if count == 1 else f"{count} links are"
    return f"{what}: {f'{links} broken' if count else 'every link holds'}"
