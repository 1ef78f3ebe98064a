"""Rules of the registry's policy: the one from before the change, so that no change loosens what judges it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.policy import Policy, parse_policy, violations
from envtag.registry.model import PROJECT_FILE
from envtag.settings import RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envtag.checking.context import Context
    from envtag.checking.files import PlainFiles
    from envtag.checking.scope import Scope
    from envtag.checking.subject import Subject
    from envtag.git import Git
    from envtag.policy import Violation


def read_policies(files: PlainFiles, scope: Scope, git: Git) -> tuple[Policy, list[Finding]]:
    """The policy that counts, and what is to be said about it.

    Args:
        files: The files of the work tree.
        scope: What is checked.
        git: The repository.
    """
    found: list[Finding] = []
    changed = PROJECT_FILE in scope.paths
    before: Mapping[str, Any] = {}
    policy = Policy()
    try:
        if scope.base:
            before = _table(git.read(scope.base, PROJECT_FILE), f"{PROJECT_FILE} at {scope.base[:12]}")
            policy = parse_policy(before, f"{PROJECT_FILE} at {scope.base[:12]}")
    except FatalError as error:
        message = f"the policy from before the change cannot be read, and none is held to: {error.message}"
        found.append(_of_file("policy-malformed", message, error.hint, "error" if not changed else "warning"))
    try:
        now = _table(files.read(PROJECT_FILE), PROJECT_FILE)
        parse_policy(now, PROJECT_FILE)
    except FatalError as error:
        found.append(_of_file("policy-malformed", error.message, error.hint, "error"))
        return policy, found
    if scope.base and now != before:
        message = "this change is judged by the policy from before it, and changes that policy"
        hint = "have who owns the policy look at it; the new one holds for the next change"
        found.append(_of_file("policy-changed", message, hint, "note"))
    return policy, found


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """What the policy has against an environment."""
    if subject.now is None:
        return
    drafted = subject.draft(context.registry, context.config)
    request = drafted.request if drafted is not None else None
    limits = context.policy.limits_of(subject.name)
    for item in violations(limits, subject.locks, request, now=context.now):
        yield from _judged(subject, item, context)


def _judged(subject: Subject, item: Violation, context: Context) -> Iterator[Finding]:
    """A violation, or the exemption from it."""
    file = f"{item.platforms[0]}-lock.yml" if item.platforms else ""
    line = subject.line(file, f"\n  name: {item.package}\n") if item.package else 0
    line += 1 if line else 0
    where = f" ({', '.join(item.platforms)})" if item.platforms else ""
    message = f"`{subject.name}`: {item.message}{where}"
    exemption, holds = context.policy.exemption(item.rule, subject.name, item.package, context.today)
    if exemption is None:
        yield subject.finding(item.rule, message, item.hint, file=file, line=line)
    elif holds:
        text = f"{message}; exempt until {exemption.expires}: {exemption.reason}"
        yield subject.finding("policy-exempt", text, file=file, line=line, severity="note")
    else:
        hint = f"its exemption ended on {exemption.expires}: {exemption.reason}"
        yield subject.finding(item.rule, message, hint, file=file, line=line)


def _table(data: bytes | None, where: str) -> Mapping[str, Any]:
    try:
        return RegistrySettings.parse((data or b"").decode("utf-8"), where).policy
    except UnicodeDecodeError as error:
        raise FatalError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error


def _of_file(rule: str, message: str, hint: str, severity: Any) -> Finding:
    return Finding(rule=rule, severity=severity, message=message, hint=hint, path=PROJECT_FILE)
