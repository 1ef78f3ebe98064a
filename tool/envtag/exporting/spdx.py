"""SPDX 2.3 (ISO/IEC 5962) as JSON: the bill of materials of one platform, without a clock and without chance."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from envtag import __version__
from envtag.exporting.licenses import spdx_expression
from envtag.exporting.model import Exported, Subject
from envtag.exporting.purl import needs_of, purl_of

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

SEVERAL = False
_ROOT = "SPDXRef-Environment"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def export(subject: Subject) -> Exported:
    """See `model.Exporter`.

    SPDX wants a moment of creation; it is that of the newest package of the lock, so that the same lock gives the same
    document.
    """
    lock = subject.only
    packages = {package.key: package for package in lock.packages}
    refs = {package.key: f"SPDXRef-Package-{number}" for number, package in enumerate(lock.packages, 1)}
    document: dict[str, Any] = {
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": f"{subject.name} {lock.platform}",
        "documentNamespace": f"https://spdx.org/spdxdocs/envtag-{lock.platform}-{lock.request}-{lock.id}",
        "creationInfo": {"created": _created(lock), "creators": [f"Tool: envtag-{__version__}"]},
        "packages": [_root(subject, lock), *(_package(package, refs[package.key]) for package in lock.packages)],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", _ROOT),
            *(_relation(_ROOT, "CONTAINS", refs[package.key]) for package in lock.packages),
            *(
                _relation(refs[package.key], "DEPENDS_ON", refs[other.key])
                for package in lock.packages
                for other in needs_of(packages, package)
            ),
        ],
    }
    unknown = [package for package in lock.packages if not spdx_expression(package.license)]
    note = f"the licence of {len(unknown)} of {len(lock.packages)} packages is not one of SPDX's: NOASSERTION"
    return Exported(text=json.dumps(document, indent=2, ensure_ascii=False) + "\n", notes=(note,) if unknown else ())


def _created(lock: Lock) -> str:
    newest = max((package.timestamp or 0 for package in lock.packages), default=0)
    return (_EPOCH + timedelta(seconds=newest // 1000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _relation(who: str, how: str, whom: str) -> dict[str, str]:
    return {"spdxElementId": who, "relationshipType": how, "relatedSpdxElement": whom}


def _root(subject: Subject, lock: Lock) -> dict[str, Any]:
    return {
        "SPDXID": _ROOT,
        "name": subject.name,
        "versionInfo": lock.id,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": "APPLICATION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def _package(package: Package, ref: str) -> dict[str, Any]:
    checksums = [{"algorithm": "SHA256", "checksumValue": package.sha256}]
    if package.md5:
        checksums.append({"algorithm": "MD5", "checksumValue": package.md5})
    fields: dict[str, Any] = {
        "SPDXID": ref,
        "name": package.name,
        "versionInfo": package.version,
        "packageFileName": package.filename,
        "downloadLocation": package.url,
        "filesAnalyzed": False,
        "checksums": checksums,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": spdx_expression(package.license) or "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl_of(package)}
        ],
    }
    if package.license and not spdx_expression(package.license):
        fields["licenseComments"] = f"stated as: {package.license}"
    return fields
