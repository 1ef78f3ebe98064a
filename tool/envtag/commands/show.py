"""`envtag show`: everything that is known of an environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from envtag.choice import choose
from envtag.errors import FatalError
from envtag.output import Output, megabytes
from envtag.platforms import base_platform, current_platform
from envtag.prefix.marker import environment_path, is_whole
from envtag.render import fields, table

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.store import Store


def show(
    found: Sequence[Found],
    *,
    platform: str,
    as_json: bool,
    config: Config,
    output: Output,
    documented: bool = False,
    store: Callable[[], Store] | None = None,
) -> int:
    """Print environments: type, ids, aliases, platforms, when and by whom, requested and installed packages.

    Args:
        found: What was looked up, in the order asked for.
        platform: The platform to show; empty for this machine's, or the first one that there is.
        as_json: Print a list of objects as JSON.
        config: The client's settings.
        output: Where it is told.
        documented: Show them as the documents about Metaflow's named environments do.
        store: Opens the store, which says whether a lock is what its request is resolved to today (`DEFAULT`).

    Returns:
        0.

    Raises:
        FatalError: It is not locked for the platform that was asked for.
    """
    described = [_describe(item, _platform(item, platform), config) for item in found]
    if as_json:
        output.json(described)
        return 0
    if documented:
        texts = [_documented(item, default=_is_default(item, store, config)) for item in described]
    else:
        texts = [_text(item) for item in described]
    output.data("\n\n".join(texts))
    return 0


def _is_default(item: dict[str, Any], store: Callable[[], Store] | None, config: Config) -> bool:
    """Whether a lock is what its request is resolved to today: on this machine, else as far as the store says."""
    if store is None:
        return False
    from envtag.flows.shelf import Shelf
    from envtag.resolutions import is_current

    kept = Shelf(config).newest(item["request"], item["platform"])
    if kept is not None:
        return bool(kept.lock.id == item["lock"])
    try:
        return is_current(store(), item["request"], item["platform"], item["lock"])
    except FatalError:
        return False


def _platform(found: Found, wanted: str) -> str:
    """What is named, or what fits this machine, or the first that there is."""
    try:
        return choose(found, wanted).platform
    except FatalError:
        if wanted or not found.platforms:
            raise
        here = [name for name in found.platforms if base_platform(name) == current_platform()]
        return (here or list(found.platforms))[0]


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
        "open_branch": found.branch() or None,
        "present_at": str(path) if is_whole(path, lock.id) else None,
        "python": lock.python,
        "interpreter": lock.interpreter,
        "base": lock.base or None,
        "imported": lock.imported or None,
        "requested": found.requested(platform),
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
            ("Open namespace", f"not reviewed: lives on `{item['open_branch']}`" if item["open_branch"] else ""),
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


def _documented(item: dict[str, Any], *, default: bool) -> str:
    """An environment as the documents about named environments show it: one fact a line, labels not aligned."""
    packages = item["packages"]
    installed = {
        manager: ", ".join(_installed(package) for package in packages if package["manager"] == manager)
        for manager in ("conda", "pypi")
    }
    lines = [
        f"{'DEFAULT ' if default else ''}Environment of type {item['type']} full hash {item['request']}:{item['lock']}",
        *(f"{label} {value}" for label, value in (
            ("Aliases", ", ".join(item["aliases"])),
            ("Arch", item["platform"]),
            ("Available on", ", ".join(item["platforms"])),
            ("Resolved on", (item["resolved_on"] or "").replace("T", " ").removesuffix("Z")),
            ("Resolved by", item["resolved_by"]),
            ("Open namespace", f"not reviewed: lives on {item['open_branch']}" if item["open_branch"] else ""),
            ("Locally present as", item["present_at"]),
            ("Extends", item["base"]),
            ("User-requested packages", ", ".join(_requested(text) for text in item["requested"])),
            ("Conda packages installed", installed["conda"]),
            ("Pypi packages installed", installed["pypi"]),
        ) if value),
    ]  # fmt: skip
    return "\n".join(lines)


def _installed(package: dict[str, Any]) -> str:
    build = f"-{package['build']}" if package["build"] else ""
    return f"{package['name']}=={package['version']}{build}"


def _requested(text: str) -> str:
    """`conda::numpy ==1.21.5` and `conda::boto3 >=1.14.0` as the documents write them: `==` and the version."""
    found = re.match(r"((?:.*::)?[A-Za-z0-9._-]+(?:\[[^]]*\])?) *(.*)", text)
    if found is None or not found[2]:
        return text
    return f"{found[1]}=={found[2].removeprefix('==')}"
