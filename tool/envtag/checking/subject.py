"""One environment under check: what it was, what it is, and what of that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from envtag.checking.files import PlainFiles, below
from envtag.checking.scope import was_there
from envtag.errors import FatalError
from envtag.findings import Finding, Severity
from envtag.ledger import Ledger
from envtag.registry.environment import ENVIRONMENTS, LEDGER_FILE, SETTINGS_FILE, RevisionFiles, load_environment

if TYPE_CHECKING:
    import os

    from envtag.authoring import Draft
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.registry import Environment, Registry
    from envtag.settings import EnvironmentSettings

_PLACE = re.compile(r"(?P<path>[^\s:]+)(?P<at> at [0-9a-f]+)?(?::(?P<line>[0-9]+))?: ")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One environment, parsed as far as it can be.

    Attributes:
        name: Its name.
        before: As it was; None where it is new.
        now: As it is; None where it was removed.
        files: What is in its directory, by path.
        settings: Its settings; None where they cannot be read.
        ledger: Its ledger; None where it cannot be read.
        released: Its ledger from before; empty where it is new, None where it cannot be read.
        locks: Platform to lock, for those that can be read.
        raw: File name to bytes, of ledger and locks.
        problems: What cannot be read.
    """

    name: str
    before: Environment | None
    now: Environment | None
    files: dict[str, os.stat_result]
    settings: EnvironmentSettings | None = None
    ledger: Ledger | None = None
    released: Ledger | None = None
    locks: dict[str, Lock] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    _drafts: list[Draft | None] = field(default_factory=list)
    _canonical: dict[str, bool] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        """Its directory, relative to the registry's top."""
        return f"{ENVIRONMENTS}/{self.name}"

    @property
    def base(self) -> str:
        """Reference of the environment that it extends, empty for none."""
        return self.settings.base if self.settings is not None else ""

    def finding(
        self, rule: str, message: str, hint: str = "", *, file: str = "", line: int = 0, severity: Severity = "error"
    ) -> Finding:
        """A finding about this environment.

        Args:
            rule: Its rule.
            message: What is wrong, in one line.
            hint: What to do.
            file: Name of the file in the directory; `envtag.yml` if empty.
            line: Its line, from 1; 0 for none.
            severity: How bad it is.
        """
        path = f"{self.directory}/{file or SETTINGS_FILE}"
        return Finding(
            rule=rule, severity=severity, message=message, hint=hint, path=path, line=line, environment=self.name
        )

    def line(self, file: str, text: str) -> int:
        """The line of ledger or lock that first holds a text; 0 where none does."""
        data = self.raw.get(file, b"")
        place = data.find(text.encode())
        return data.count(b"\n", 0, place) + 1 if place >= 0 else 0

    def release_line(self, tag: str) -> int:
        """The line of a release in the ledger; 0 where there is none."""
        found = re.search(
            rb"\btag: *['\"]?" + re.escape(tag.encode()) + rb"['\"]?\s*[,}\n]", self.raw.get(LEDGER_FILE, b"")
        )
        return self.raw[LEDGER_FILE].count(b"\n", 0, found.start()) + 1 if found is not None else 0

    def is_canonical(self, platform: str) -> bool:
        """Whether a lock that can be read has the bytes that envtag writes; compared once."""
        if platform not in self._canonical:
            from envtag.lock import write

            self._canonical[platform] = self.raw.get(f"{platform}-lock.yml") == write(self.locks[platform])
        return self._canonical[platform]

    def draft(self, registry: Registry, config: Config) -> Draft | None:
        """Its request, read from settings and specs; None where that cannot be made, which is a problem then."""
        if not self._drafts:
            self._drafts.append(self._draft(registry, config))
        return self._drafts[0]

    def _draft(self, registry: Registry, config: Config) -> Draft | None:
        from envtag.authoring import draft
        from envtag.spec_files import SpecFiles

        if self.now is None or self.settings is None:
            return None
        now, settings = self.now, self.settings

        def made() -> Draft:
            return draft(settings, SpecFiles(specs=settings.spec, files=now.spec_files()), registry, config)

        found: Draft | None = _tried(self.problems, self, SETTINGS_FILE, made)
        return found


def read_subject(name: str, context_files: PlainFiles, registry: Registry, base: str) -> Subject:
    """Read an environment.

    Args:
        name: Its name; a malformed one is read too.
        context_files: The files of the work tree.
        registry: The registry.
        base: The commit that it is compared with; empty for none.
    """
    before = (
        load_environment(name, base, RevisionFiles(registry.git, base)) if was_there(registry, name, base) else None
    )
    now = load_environment(name, "", context_files)
    files = dict(below(context_files.root, name))
    problems: list[Finding] = []
    subject = Subject(name=name, before=before, now=now, files=files, problems=problems)
    locks: dict[str, Lock] = {}
    raw: dict[str, bytes] = {}
    settings = ledger = None
    if now is not None:
        settings = _tried(problems, subject, SETTINGS_FILE, lambda: now.settings)
        ledger = _tried(problems, subject, LEDGER_FILE, lambda: now.ledger)
        for file in (LEDGER_FILE, *(f"{platform}-lock.yml" for platform in now.platforms)):
            data = _tried([], subject, file, partial(context_files.read, f"{now.directory}/{file}"))
            raw.update({file: data} if data is not None else {})
        for platform in now.platforms:
            lock = _tried(problems, subject, f"{platform}-lock.yml", partial(now.lock, platform))
            locks.update({platform: lock} if lock is not None else {})
    released: Ledger | None = Ledger()
    if before is not None:
        same = ledger is not None and before.files.read(f"{before.directory}/{LEDGER_FILE}") == raw.get(LEDGER_FILE)
        released = ledger if same else _tried(problems, subject, LEDGER_FILE, lambda: before.ledger)
    return Subject(
        name=name, before=before, now=now, files=files, settings=settings, ledger=ledger, released=released,
        locks=locks, raw=raw, problems=problems,
    )  # fmt: skip


def _tried(problems: list[Finding], subject: Subject, file: str, read: Callable[[], Any]) -> Any:
    """What a reading gives; None and a problem where it cannot be read."""
    try:
        return read()
    except FatalError as error:
        path, line = _place(error.message, subject, file)
        hint = f"{error.hint}; {_first(error.detail)}".strip("; ") if error.detail else error.hint
        problems.append(
            Finding(
                rule=_rule(error.message, file),
                severity="error",
                message=error.message,
                hint=hint,
                path=path,
                line=line,
                environment=subject.name,
            )
        )
        return None


def _place(message: str, subject: Subject, file: str) -> tuple[str, int]:
    """The file and the line that a refusal is about: those that it begins with, where they are of the work tree."""
    found = _PLACE.match(message)
    if found is not None and not found["at"]:
        for path in (found["path"], f"{subject.directory}/{found['path']}"):
            if path in subject.files:
                return path, int(found["line"] or 0)
    return f"{subject.directory}/{file}", 0


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


def _rule(message: str, file: str) -> str:
    """The rule that a reading's refusal is of."""
    if "which must not be stored" in message:
        return "no-credentials"
    if "has no full set of hashes" in message:
        return "lock-hashed"
    if file == LEDGER_FILE and "points at" in message:
        return "pointer-released"
    return "file-malformed"
