"""`envtag show`: everything that is known of an environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from envtag.output import Output, megabytes
from envtag.platforms import current_platform
from envtag.prefix.marker import environment_path, is_whole
from envtag.render import fields, table

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found


def show(found: Sequence[Found], *, platform: str, as_json: bool, config: Config, output: Output) -> int:
    """Print environments: type, ids, aliases, platforms, when and by whom, requested and installed packages.

    Args:
        found: What was looked up, in the order asked for.
        platform: The platform to show; empty for this machine's, or the first one that there is.
        as_json: Print a list of objects as JSON.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: It is not locked for the platform that was asked for.
    """
    described = [_describe(item, _platform(item, platform), config) for item in found]
    if as_json:
        output.json(described)
        return 0
    output.data("\n\n".join(_text(item) for item in described))
    return 0


def _platform(found: Found, wanted: str) -> str:
    if wanted:
        return wanted
    here = current_platform()
    available = found.platforms
    return here if here in available or not available else available[0]


def _describe(found: Found, platform: str, config: Config) -> dict[str, Any]:
    lock = found.lock(platform)
    path = environment_path(config, lock.id)
    record = found.record
    resolved_on, resolved_by = found.resolved()
    return {
        "name": found.alias.name,
        "alias": str(found.alias),
        "type": lock.kind,
        "request": lock.request,
        "lock": lock.id,
        "aliases": found.aliases(platform),
        "platform": platform,
        "platforms": list(found.platforms),
        "digest": f"sha256:{record.manifests[platform]}"
        if record is not None and platform in record.manifests
        else None,
        "commit": found.commit or None,
        "registry": found.location,
        "resolved_on": resolved_on or None,
        "resolved_by": resolved_by or None,
        "signed_by": found.signed_by() or None,
        "present_at": str(path) if is_whole(path, lock.id) else None,
        "python": lock.python,
        "interpreter": lock.interpreter,
        "base": lock.base or None,
        "imported": lock.imported or None,
        "requested": found.requested(),
        "channels": list(lock.channels),
        "packages": [_package(package) for package in lock.packages],
    }


def _package(package: Any) -> dict[str, Any]:
    return {
        "manager": package.manager,
        "name": package.name,
        "version": package.version,
        "build": package.build or None,
        "size": package.size,
        "license": package.license,
        "url": package.url,
        "sha256": package.sha256,
    }


def _text(item: dict[str, Any]) -> str:
    head = fields(
        [
            ("Environment", f"of type {item['type']}, full id {item['request']}:{item['lock']}"),
            ("Aliases", ", ".join(item["aliases"])),
            ("Platform", item["platform"]),
            ("Available on", ", ".join(item["platforms"])),
            ("Python", f"{item['python']} (from {item['interpreter']})" if item["python"] else ""),
            ("Extends", item["base"] or ""),
            ("Imported from", item["imported"] or ""),
            ("Digest", item["digest"] or "(not published)"),
            ("Registry", item["registry"] + (f" at {item['commit'][:12]}" if item["commit"] else " (work tree)")),
            ("Resolved on", item["resolved_on"] or "(not committed)"),
            ("Resolved by", item["resolved_by"] or ""),
            ("Signed by", item["signed_by"] or ""),
            ("Locally present as", item["present_at"] or "(not on this machine)"),
            ("Requested", ", ".join(item["requested"])),
            ("Channels", ", ".join(item["channels"])),
        ]
    )
    rows = [
        (
            package["manager"],
            package["name"],
            package["version"],
            package["build"] or "",
            megabytes(package["size"]) if package["size"] is not None else "",
            package["license"] or "",
        )
        for package in item["packages"]
    ]
    return f"{head}\n\n{table(('manager', 'package', 'version', 'build', 'size', 'license'), rows)}"
