"""A difference as JSON: the schema that `docs/review.md` describes, version 1; fields are added, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envtag.diff.compare import source_of

if TYPE_CHECKING:
    from envtag.diff.model import Diff, EnvironmentChange, Finding, PackageChange, PlatformChange, Row, Setting, Weight
    from envtag.package import Package

VERSION = 1


def document(diff: Diff) -> dict[str, Any]:
    """The difference as plain values for JSON; texts are as they are, escaping is the reader's part."""
    return {
        "version": VERSION,
        "before": diff.before,
        "after": diff.after,
        "now": diff.now,
        "recent_days": diff.recent_days,
        "registry": [_setting(item) for item in diff.registry],
        "environments": [_environment(item) for item in diff.environments],
    }


def _environment(item: EnvironmentChange) -> dict[str, Any]:
    return {
        "name": item.name,
        "state": item.state,
        "findings": [_finding(finding) for finding in item.findings],
        "settings": [_setting(setting) for setting in item.settings],
        "requirements": [_setting(setting) for setting in item.requirements],
        "ledger": [_setting(setting) for setting in item.ledger],
        "platforms": [_platform(platform) for platform in item.platforms],
        "packages": [_row(row) for row in item.rows],
        "archives": {"looked_into": item.looked_into, "unread": item.unread},
    }


def _finding(item: Finding) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "severity": item.severity,
        "name": item.name,
        "before": item.before or None,
        "after": item.after or None,
        "platforms": list(item.platforms),
    }


def _setting(item: Setting) -> dict[str, Any]:
    return {"key": item.key, "before": item.before or None, "after": item.after or None}


def _platform(item: PlatformChange) -> dict[str, Any]:
    return {
        "platform": item.platform,
        "state": item.state,
        "before": item.before or None,
        "after": item.after or None,
        "packages": item.packages,
        "alike": item.alike,
        "download": _weight(item.download),
        "installed": _weight(item.installed),
    }


def _weight(item: Weight) -> dict[str, Any]:
    return {
        "before": item.before,
        "after": item.after,
        "difference": item.delta,
        "unknown": item.unknown,
        "top": [{"name": name, "difference": delta} for name, delta in item.top],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "manager": row.manager,
        "change": row.kind,
        "level": row.level or None,
        "direct": row.direct,
        "why": list(row.why),
        "platforms": {platform: _change(change) for platform, change in row.changes.items()},
    }


def _change(change: PackageChange) -> dict[str, Any]:
    return {"before": _package(change.before), "after": _package(change.after)}


def _package(package: Package | None) -> dict[str, Any] | None:
    if package is None:
        return None
    return {
        "manager": package.manager,
        "version": package.version,
        "build": package.build or None,
        "source": source_of(package),
        "url": package.url,
        "sha256": package.sha256,
        "size": package.size,
        "license": package.license,
        "timestamp": package.timestamp,
    }
