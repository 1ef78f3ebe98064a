"""What Metaflow itself needs inside the environment of every step, beside what its user asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.spec import Spec, SpecFile

#: The spec files that hold them, by the world that they are asked of.
FILES: Mapping[str, str] = {"conda": "metaflow-needs.yml", "pypi": "metaflow-needs.txt"}
#: Kind of Metaflow's datastore to packages and versions, under the names that they have on PyPI and on conda-forge.
DATASTORES: Mapping[str, Mapping[str, str]] = {
    "local": {},
    "s3": {"boto3": ">=1.14.0"},
    "azure": {
        "azure-identity": ">=1.10.0",
        "azure-keyvault-secrets": ">=4.7.0",
        "azure-storage-blob": ">=12.12.0",
        "simple-azure-blob-downloader": ">=0.1.0",
    },
    "gs": {
        "google-auth": ">=2.11.0",
        "google-cloud-secret-manager": ">=2.10.0",
        "google-cloud-storage": ">=2.5.0",
        "packaging": ">=24.0",
        "simple-gcp-object-downloader": ">=0.1.0",
    },
}
_EVERYWHERE: Mapping[str, str] = {"requests": ">=2.21.0"}


def needs_of(datastore: str) -> dict[str, str]:
    """Package to its versions, for `import metaflow` and one kind of datastore.

    Args:
        datastore: `local`, `s3`, `azure` or `gs`.

    Raises:
        FatalError: It is none of these.
    """
    if datastore not in DATASTORES:
        known = ", ".join(f"`{name}`" for name in DATASTORES)
        raise FatalError(f"`{datastore}` is not a datastore whose needs are known", f"one of {known}")
    return {**_EVERYWHERE, **DATASTORES[datastore]}


def missing(needs: Mapping[str, str], there: Iterable[str]) -> dict[str, str]:
    """Those of the needs whose package is not among some names, in order; any version that is there will do."""
    known = {_normalized(name) for name in there}
    return {name: versions for name, versions in sorted(needs.items()) if _normalized(name) not in known}


def needs_file(needs: Mapping[str, str], spec: Spec) -> SpecFile | None:
    """A spec that adds needs to another: conda packages where that one has some, PyPI packages otherwise.

    What it names already is left as it is.

    Args:
        needs: Package to its versions.
        spec: What is asked for beside them.

    Returns:
        The file, or None where nothing is to be added.
    """
    from envtag.spec import SpecFile  # a pod that only looks for what is missing has no use for it

    named = [item.name for item in spec.conda] + [item.name for item in spec.pypi if not item.constraint]
    left = missing(needs, named)
    if not left:
        return None
    head = "# What Metaflow needs in the environment of a step.\n"
    if any(item.name != "python" for item in spec.conda):
        lines = [f"- {name} {versions}\n" for name, versions in sorted(left.items())]
        return SpecFile(name=FILES["conda"], data=f"{head}dependencies:\n{''.join(lines)}".encode())
    lines = [f"{name}{versions}\n" for name, versions in sorted(left.items())]
    return SpecFile(name=FILES["pypi"], data=f"{head}{''.join(lines)}".encode())


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
