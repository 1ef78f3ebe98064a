"""CycloneDX 1.6 (ECMA-424) as JSON: the bill of materials of one platform, without a clock and without chance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from envtag.exporting.licenses import spdx_expression
from envtag.exporting.model import Exported, Subject
from envtag.exporting.purl import needs_of, purl_of
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

SEVERAL = False


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    lock = subject.only
    packages = {package.key: package for package in lock.packages}
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_uuid(subject, lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": _root(lock),
                "name": subject.name,
                "version": lock.id,
                "properties": [
                    {"name": "envtag:lock", "value": lock.id},
                    {"name": "envtag:platform", "value": lock.platform},
                    {"name": "envtag:request", "value": lock.request},
                ],
            }
        },
        "components": [_component(package) for package in lock.packages],
        "dependencies": [
            {"ref": _root(lock), "dependsOn": sorted(purl_of(package) for package in lock.packages)},
            *(_dependency(package, packages) for package in lock.packages),
        ],
    }
    unknown = [package for package in lock.packages if not package.license]
    note = f"the licence of {len(unknown)} of {len(lock.packages)} packages is not known, and is left out"
    return Exported(text=json.dumps(document, indent=2, ensure_ascii=False) + "\n", notes=(note,) if unknown else ())


def _uuid(subject: Subject, lock: Lock) -> UUID:
    """The same document has the same number everywhere: a UUID (version 8) of what it is of."""
    digest = sha256_hex(f"cyclonedx {subject.name} {lock.platform} {lock.request} {lock.id}".encode())
    return UUID(int=(int(digest[:32], 16) & ~(0xF << 76) & ~(0x3 << 62)) | (0x8 << 76) | (0x2 << 62))


def _root(lock: Lock) -> str:
    return f"envtag:{lock.platform}:{lock.id}"


def _component(package: Package) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": package.sha256}]
    if package.md5:
        hashes.insert(0, {"alg": "MD5", "content": package.md5})
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl_of(package),
        "name": package.name,
        "version": package.version,
        "hashes": hashes,
    }
    expression = spdx_expression(package.license)
    if expression:
        component["licenses"] = [{"expression": expression}]
    elif package.license:
        component["licenses"] = [{"license": {"name": package.license}}]
    component["purl"] = purl_of(package)
    component["externalReferences"] = [{"type": "vcs" if package.is_commit else "distribution", "url": package.url}]
    return component


def _dependency(package: Package, packages: dict[tuple[str, str], Package]) -> dict[str, Any]:
    needs = sorted({purl_of(other) for other in needs_of(packages, package)})
    return {"ref": purl_of(package), **({"dependsOn": needs} if needs else {})}
