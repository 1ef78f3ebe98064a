"""pixi.lock, version 6: one environment on several platforms, which pixi and rattler read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envtag.exporting.model import Exported, Subject, refuse_without
from envtag.platforms import base_platform
from envtag.urls import parse_git
from envtag.util.yaml_text import dump

if TYPE_CHECKING:
    from envtag.package import Package

SEVERAL = True
_HEAD = "# Of {}, written by `envtag export`.\n"


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    refuse_without(subject, "conda", "pixi.lock", "pixi takes Python from conda: `--to pylock` is for uv and pip")
    channels = dict.fromkeys(url for lock in subject.locks for url in lock.channels)
    every = sorted({_key(package): package for lock in subject.locks for package in lock.packages}.items())
    document = {
        "version": 6,
        "environments": {
            "default": {
                "channels": [{"url": f"{url}/"} for url in channels],
                "packages": {
                    base_platform(lock.platform): [_named(package) for package in lock.packages]
                    for lock in subject.locks
                },
            }
        },
        "packages": [_record(package) for _, package in every],
    }
    return Exported(text=_HEAD.format(subject.name) + dump(document).decode())


def _location(package: Package) -> str:
    """Where a package is, as pixi writes it: a commit stands behind the `#`."""
    git = parse_git(package.url)
    if git is None:
        return package.url
    directory = f"&subdirectory={git.subdirectory}" if git.subdirectory else ""
    return f"git+{git.repository}?rev={git.revision}{directory}#{git.revision}"


def _key(package: Package) -> tuple[str, str, str]:
    return (package.name, package.manager, package.url)


def _named(package: Package) -> dict[str, str]:
    return {package.manager: _location(package)}


def _record(package: Package) -> dict[str, Any]:
    if package.manager == "pypi":
        fields: dict[str, Any] = {
            "pypi": _location(package),
            "name": package.name,
            "version": package.version,
            "sha256": None if package.is_commit else package.sha256,
            "requires_dist": list(package.depends),
        }
    else:
        fields = {
            "conda": package.url,
            "sha256": package.sha256,
            "md5": package.md5,
            "depends": list(package.depends),
            "license": package.license,
            "size": package.size,
            "timestamp": package.timestamp,
        }
    return {key: value for key, value in fields.items() if value not in (None, [])}
