"""The store: what the credentials may do in it, tried on one object of the doctor's own."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from envtag.doctoring.rules import attempted, well
from envtag.findings import Finding
from envtag.store import keys, probe

if TYPE_CHECKING:
    from envtag.store import Store

_SKEW_SECONDS = 60
_POLICIES = "docs/storage.md has the policies of readers, publishers and collectors"


def storage(store: Store) -> list[Finding]:
    """Findings about a store; the object that it takes is removed again where that is allowed."""
    found: list[Finding] = []
    if attempted("store", lambda: next(iter(store.list(keys.TAGS)), None) is None, found) is None:
        return found
    found.append(well("store", f"{store.url} can be read"))
    begun = datetime.now(timezone.utc)
    written = attempted(
        "store-writable", lambda: probe.create_twice(store), found, severity="warning", hint="enough for who only reads"
    )
    if written is None:
        return found
    ended = datetime.now(timezone.utc)
    found.append(well("store-writable", f"{store.url} can be added to"))
    found.append(_conditional(store, written))
    if written.fresh and written.modified is not None:
        found.append(_clock(store, written.modified, begun, ended))
    replaced = attempted("store-overwrite", lambda: probe.overwrite(store), found)
    if replaced is not None:
        found.append(_overwritten(store, replaced=replaced))
    found.append(_deleted(store))
    return found


def _conditional(store: Store, written: probe.Written) -> Finding:
    if written.conditional and written.right:
        return well("store-conditional", f"{store.url} refuses to create what is there")
    return Finding(
        rule="store-conditional",
        severity="error",
        message=f"{store.url} creates objects where there are some"
        if not written.conditional
        else f"`{probe.KEY}` in {store.url} has other bytes than were written",
        hint="a store needs conditional writes (`If-None-Match`), which older servers of this kind pass over",
    )


def _overwritten(store: Store, *, replaced: bool) -> Finding:
    """What it means that a plain write was done or refused, by kind of store."""
    rule = "store-overwrite"
    if not replaced:
        return well(rule, f"these credentials cannot replace an object of {store.url}")
    scheme = store.url.partition("://")[0]
    message = f"these credentials can replace what is released in {store.url}"
    if scheme == "file":
        hint = "who may write to a directory may replace its files: share one only with those you trust as publishers"
        return Finding(rule=rule, severity="warning", message=message, hint=hint)
    if scheme == "az":
        hint = f"no role of Azure's forbids it, so keep versions and soft delete on; {_POLICIES}"
        return Finding(rule=rule, severity="warning", message=message, hint=hint)
    return Finding(rule=rule, severity="error", message=message, hint=f"publish by a role that cannot; {_POLICIES}")


def _deleted(store: Store) -> Finding:
    rule = "store-delete"
    failures: list[Finding] = []
    gone = attempted(rule, lambda: probe.remove(store), failures, severity="note")
    if gone:
        return Finding(
            rule=rule,
            severity="note" if store.url.startswith("file:") else "warning",
            message=f"these credentials can delete what is in {store.url}",
            hint=f"only `envtag gc` needs that; {_POLICIES}",
        )
    return well(rule, f"these credentials cannot delete what is in {store.url}; `{probe.KEY}` stays there")


def _clock(store: Store, modified: datetime, begun: datetime, ended: datetime) -> Finding:
    """How far this machine's clock is off, beyond the time in which the object can have been written."""
    ahead, behind = (begun - modified).total_seconds(), (modified - ended).total_seconds()
    off = max(ahead, behind)
    if off <= _SKEW_SECONDS:
        return well("clock", f"this machine's clock agrees with that of {store.url}")
    return Finding(
        rule="clock",
        severity="warning",
        message=f"this machine's clock is {off:.0f} s {'ahead of' if ahead > behind else 'behind'} that of {store.url}",
        hint="set it: signatures and tokens are refused by the time, and dates in tags come from it",
    )
