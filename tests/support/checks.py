"""What `envtag check` finds in a story, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envtag import lock as locks
from envtag.checking import check
from envtag.findings import Finding
from envtag.ledger import Ledger
from envtag.lock import Lock
from support.story import HERE, Story

#: 2026-11-21T00:00:00Z, in milliseconds.
NOW = 1_795_219_200_000


def found(story: Story, **options: Any) -> tuple[Finding, ...]:
    """The findings about a story's work tree; options are those of `checking.check`."""
    settled = {"base": "", "whole": False, "store": None, "now": NOW, **options}
    with story.registry() as registry:
        return check(registry, config=story.config, **settled)


def rules(findings: tuple[Finding, ...], *severities: str) -> list[str]:
    """The rules of findings (of errors, if no severity is named), each once, sorted."""
    return sorted({item.rule for item in findings if item.severity in (severities or ("error",))})


def only(findings: tuple[Finding, ...], rule: str) -> Finding:
    """The one finding of a rule."""
    (finding,) = [item for item in findings if item.rule == rule]
    return finding


def edit_lock(story: Story, change: Callable[[Lock], Lock], name: str = "mlp/base", platform: str = HERE) -> None:
    """Write a lock anew with a change that it is then consistent with (its ids are its own)."""
    path = story.path / "envs" / name / f"{platform}-lock.yml"
    path.write_bytes(locks.write(change(locks.read(path.read_bytes(), path.name))))


def edit_packages(story: Story, wanted: str, name: str = "mlp/base", **fields: Any) -> None:
    """Change fields of one package in a lock."""

    def changed(lock: Lock) -> Lock:
        packages = (item._replace(**fields) if item.name == wanted else item for item in lock.packages)
        return lock._replace(packages=tuple(packages))

    edit_lock(story, changed, name)


def edit_text(story: Story, path: str, old: str, new: str) -> None:
    """Replace a text that a file of the work tree holds."""
    file = story.path / path
    text = file.read_text("utf-8")
    assert old in text, f"{path} does not hold {old!r}"
    file.write_text(text.replace(old, new), "utf-8")


def edit_ledger(story: Story, change: Callable[[Ledger], Ledger], name: str = "mlp/base") -> None:
    """Write a ledger anew with a change."""
    path = story.path / "envs" / name / "tags.yml"
    path.write_bytes(change(Ledger.parse(path.read_bytes(), path.name)).to_bytes())
