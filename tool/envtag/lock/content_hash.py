"""conda-lock's own hash of a request, so that `conda-lock lock --check-input-hash` recognizes a lock of envtag's.

The rule is conda-lock's (`conda_lock/content_hash.py`, unchanged in meaning since its version 2): SHA-256 over sorted
JSON of channels, specs in the order (manager, name), and the virtual packages as a fake channel's repodata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envtag.platforms import base_platform, declared_for, virtual_packages
from envtag.request import is_for
from envtag.urls import channel_name, parse_git
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.request import CondaRequirement, PypiRequirement, Request

_FAKE_TIMESTAMP = 1577854800000


def content_hash(request: Request, platform: str) -> str:
    """The content hash of a request on one platform: 64 hex digits.

    Equal to conda-lock's for an `environment.yml` with the same channels, specs and virtual packages.
    """
    request = request.on(platform)
    conda = [_conda(item) for item in request.conda if is_for(item, platform)]
    pypi = [_pypi(item) for item in request.pypi if is_for(item, platform)]
    if pypi and request.interpreter == "conda":
        conda.append(_spec("pip", "conda", version="*", build=None, conda_channel=None, hash=None))
    declared = declared_for(platform, request.virtual_packages)
    document: dict[str, Any] = {
        "channels": [_compact({"url": channel_name(url), "used_env_vars": []}) for url in request.channels],
        "specs": sorted([*conda, *pypi], key=lambda item: (item["manager"], item["name"])),
        "virtual_package_hash": _repodata(base_platform(platform), virtual_packages(platform, declared)),
    }
    indices = [url for url in (request.index_url, *request.extra_index_urls) if url]
    if indices:
        document["pip_repositories"] = [_compact({"url": url}) for url in indices]
    return sha256_hex(json.dumps(document, sort_keys=True).encode())


def _conda(item: CondaRequirement) -> dict[str, Any]:
    return _spec(
        item.name,
        "conda",
        version=_version(item),
        build=item.build or None,
        conda_channel=channel_name(item.channel) if item.channel else None,
        hash=None,
    )


def _version(item: CondaRequirement) -> str:
    """The version as conda's own parser gives it: an exact one bare, any one `*` where a build is asked for."""
    if not item.version:
        return "*" if item.build else ""
    exact = item.version.startswith("==") and not any(sign in item.version for sign in ",|")
    return item.version.removeprefix("==") if exact else item.version


def _pypi(item: PypiRequirement) -> dict[str, Any]:
    from packaging.requirements import Requirement

    requirement = Requirement(item.text)
    fields: dict[str, Any] = {"extras": sorted(requirement.extras)}
    if requirement.marker is not None:
        fields["markers"] = str(requirement.marker)
    git = parse_git(requirement.url) if requirement.url is not None else None
    if git is not None:
        if git.subdirectory:
            fields["subdirectory"] = git.subdirectory
        return _spec(item.name, "pip", **fields, source=git.repository, vcs="git", rev=git.revision or None)
    if requirement.url is not None:
        return _spec(item.name, "pip", **fields, url=requirement.url, hashes=[""])
    return _spec(
        item.name, "pip", **fields, version=str(requirement.specifier) or "*", build=None, conda_channel=None, hash=None
    )


def _spec(name: str, manager: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "manager": manager, "category": "main", "extras": [], **fields}


def _repodata(platform: str, packages: Mapping[str, str]) -> dict[str, Any]:
    entries = {}
    for name, value in packages.items():
        version, _, build_string = value.partition(" ")
        build = f"{build_string}_0" if build_string else "0"
        entries[f"{name}-{version}-{build}.tar.bz2"] = {
            "name": name,
            "version": version,
            "build_string": build_string,
            "build_number": 0,
            "build": build,
            "noarch": "",
            "depends": [],
            "timestamp": _FAKE_TIMESTAMP,
            "package_type": "virtual_system",
            "subdir": platform,
        }
    return {
        "noarch": {"info": {"subdir": "noarch"}, "packages": {}},
        platform: {"info": {"subdir": platform}, "packages": entries},
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
