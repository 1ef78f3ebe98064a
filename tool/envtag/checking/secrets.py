"""Rules about what must not be in any file of an environment: credentials, and places of somebody's machine."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.checking.files import limit_of
from envtag.errors import FatalError
from envtag.urls import check_public

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.findings import Finding

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`|,;(){}\[\]\\]+")
#: Tokens that their makers gave a form of their own, so that they can be found.
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[opsur]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{40}|\bglpat-[A-Za-z0-9_-]{20}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10}|\bpypi-AgE[A-Za-z0-9_-]{40}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_PATH = re.compile(
    r"(?:^|[\s='\"@\[,])(?P<path>(?:/(?:home|Users|root|tmp|mnt|opt|var|data|work)/|~/|[A-Za-z]:\\)[^\s'\",\]]*)"
)
_SPECS = (".txt", ".in", ".yml", ".yaml", ".toml", ".cfg")
_BARE = "write the bare URL; credentials come from netrc, a keyring or the environment when it is fetched"
_MANY = 20


def findings(subject: Subject, _: Context) -> Iterator[Finding]:
    """What the files of an environment say that they must not."""
    clean = {f"{platform}-lock.yml" for platform in subject.locks if subject.is_canonical(platform)}
    for path, found in subject.files.items():
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit_of(path) or subject.now is None:
            continue
        name = path.removeprefix(f"{subject.directory}/")
        if name in clean:
            yield from _lock_paths(subject, name)  # its URLs were checked when it was read
            continue
        data = subject.now.files.read(path) or b""
        if b"\0" not in data:
            yield from _told(subject, name, data.decode("utf-8", "replace"))


def _told(subject: Subject, name: str, text: str) -> Iterator[Finding]:
    """What the lines of a file say, not more often than people read."""
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        for finding in _line(subject, name, number, line):
            yield finding
            count += 1
        if count >= _MANY:
            return


def _line(subject: Subject, name: str, number: int, line: str) -> Iterator[Finding]:
    where = f"`{subject.directory}/{name}`"
    if _TOKENS.search(line):
        message = f"{where} holds what looks like a secret token on line {number}"
        hint = "revoke it now: who can read the branch has it; then remove it from the history"
        yield subject.finding("no-credentials", message, hint, file=name, line=number)
    for url in _URL.findall(line):
        scheme = url.partition(":")[0].lower().removeprefix("git+")
        if scheme == "file":
            message = f"{where} names a place of somebody's machine, a `file:` URL"
            yield subject.finding("no-local-paths", message, "name what others can reach", file=name, line=number)
            continue
        try:
            check_public(url.rstrip("."), "a file")
        except FatalError as error:
            if "must not be stored" in error.message:
                yield subject.finding("no-credentials", f"{where}: {error.message}", _BARE, file=name, line=number)
    found = _PATH.search(line.partition(" #")[0]) if name.endswith(_SPECS) and not line.startswith("#") else None
    if found is not None:
        message = f"{where} names a place of somebody's machine, `{found['path']}`"
        yield subject.finding("no-local-paths", message, "name what others can reach", file=name, line=number)


def _lock_paths(subject: Subject, name: str) -> Iterator[Finding]:
    for scheme in ("file://", "git+file://"):
        line = subject.line(name, f"\n  url: {scheme}") or subject.line(name, f"url: {scheme}")
        if line:
            message = f"`{subject.directory}/{name}` names a place of somebody's machine, a `file:` URL"
            yield subject.finding("no-local-paths", message, "lock from what others can reach", file=name, line=line)
