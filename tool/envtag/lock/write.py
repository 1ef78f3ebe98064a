"""A lock's bytes: conda-lock v1, keys sorted, one package a block, the same for the same lock for ever."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.platforms import base_platform, variant_of
from envtag.urls import channel_name, check_public
from envtag.util.canonical import canonical_json
from envtag.util.yaml_text import dump

if TYPE_CHECKING:
    from envtag.lock.model import Lock
    from envtag.package import Package

#: Version of what envtag adds to the format, in `metadata.custom_metadata`: conda-lock allows text there alone.
FORMAT = "1"
HEADER = b"# Written by envtag: change the spec beside it and run `envtag lock`, do not edit.\n"


def write(lock: Lock) -> bytes:
    """The bytes of a lock.

    Raises:
        FatalError: A package has no hash, a credential is in a URL, or a name is there twice.
    """
    packages = sorted(lock.packages, key=lambda package: package.key)
    for first, second in pairwise(packages):
        if first.key == second.key:
            raise FatalError(f"`{first.name}` is in the {lock.platform} lock twice: {first} and {second}")
    document = {
        "metadata": {
            "channels": [{"url": channel_name(url), "used_env_vars": []} for url in lock.channels],
            "content_hash": {base_platform(lock.platform): lock.content_hash},
            "custom_metadata": _custom(lock, packages),
            "platforms": [base_platform(lock.platform)],
            "sources": list(lock.sources),
        },
        "package": [block(package, base_platform(lock.platform)) for package in packages],
        "version": 1,
    }
    return HEADER + dump(document)


def _custom(lock: Lock, packages: list[Package]) -> dict[str, str]:
    fields = {
        "envtag-base": lock.base,
        "envtag-base-lock": lock.base_lock,
        "envtag-format": FORMAT,
        "envtag-imported": lock.imported,
        "envtag-interpreter": lock.interpreter,
        "envtag-lock": lock.id,
        "envtag-python": lock.python,
        "envtag-request": lock.request,
        "envtag-variant": variant_of(lock.platform),
        "envtag-virtual-packages": _json(dict(lock.virtual_packages)) if lock.virtual_packages else "",
    }
    for package in packages:
        known = {"license": package.license, "size": package.size, "timestamp": package.timestamp}
        stated = {key: value for key, value in known.items() if value is not None}
        if stated:
            fields[f"package/{package.manager}/{package.name}"] = _json(stated)
    return {key: value for key, value in sorted(fields.items()) if value}


def block(package: Package, platform: str) -> dict[str, Any]:
    """One package as conda-lock v1 has it.

    Raises:
        FatalError: It has no full set of hashes, or its URL holds a credential.
    """
    if not package.sha256 or (package.manager == "conda" and not package.md5):
        raise FatalError(
            f"{package} has no {'sha256' if not package.sha256 else 'md5'}, and a lock holds hashed packages only",
            f"it is from {package.url}",
        )
    hashes = {"md5": package.md5} if package.md5 else {}
    head: dict[str, Any] = {"build": package.build} if package.build else {}
    return {
        **head,
        "category": "main",
        "dependencies": _dependencies(package),
        "hash": {**hashes, "sha256": package.sha256},
        "manager": "pip" if package.manager == "pypi" else "conda",
        "name": package.name,
        "optional": False,
        "platform": platform,
        "url": check_public(package.url, f"package `{package.name}`"),
        "version": package.version,
    }


def _dependencies(package: Package) -> dict[str, str]:
    """Name to constraint; several specs of one name become one (`>=2.17`, `<3` → `>=2.17,<3`)."""
    merged: dict[str, tuple[str, str]] = {}
    for spec in package.depends:
        name, _, rest = spec.strip().partition(" ")
        version, _, build = rest.strip().partition(" ")
        before, before_build = merged.get(name, ("", ""))
        clauses = [clause for clause in (before, version) if clause and clause != "*"]
        merged[name] = (",".join(clauses), build.strip() or before_build)
    return {
        name: f"{version or '*'} {build}" if build else version for name, (version, build) in sorted(merged.items())
    }


def _json(value: Any) -> str:
    return canonical_json(value).decode()
