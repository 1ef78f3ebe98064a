"""Packages named as in the two documents about named environments: small, but real ones, for conda and for PyPI.

`requests`, and `boto3` with what it needs, are the installed ones, packed again as pure Python: `import metaflow` and
its S3 datastore work with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from support.conda_package import ChannelBuilder, installed_files
from support.wheels import NEW, OLD, make_wheel, normalized, pack_wheel, wheel_files

_AUTO_MODEL = """
class AutoModel:
    \"\"\"What the document's example imports.\"\"\"
"""


_KERNEL = """
if __name__ == "__main__":
    import json, os, sys
    print(json.dumps({
        "argv": sys.argv[1:], "prefix": sys.prefix, "path": os.environ["PATH"].split(os.pathsep),
        "modules": sys.path, "activating": os.environ.get("ACTIVATING"),
    }))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A package of the documents.

    Attributes:
        dist: Its name on PyPI.
        version: Its version.
        conda: Its name as a conda package; empty where there is none.
        module: The module that is imported, where that is not the dist's name.
        needs: What it requires, as of PyPI; the conda package needs the same names without versions.
        code: Python that its module holds beside the version.
        uploaded: When it was published.
    """

    dist: str
    version: str
    conda: str = ""
    module: str = ""
    needs: Sequence[str] = ()
    code: str = ""
    uploaded: datetime = OLD

    def files(self) -> dict[str, str]:
        """What it brings to import."""
        module = self.module or normalized(self.dist).replace("-", "_")
        return {f"{module}.py": f"__version__ = {self.version!r}\n{self.code}"}


PACKAGES = (
    Named(dist="numpy", version="1.21.5", conda="numpy"),
    Named(dist="numpy", version="1.24.0", conda="numpy", uploaded=NEW),
    Named(dist="pandas", version="1.5.0", conda="pandas", needs=["numpy>=1.21"]),
    Named(dist="pandas", version="2.0.0", conda="pandas", needs=["numpy>=1.21"], uploaded=NEW),
    Named(dist="scikit-learn", version="1.2.0", conda="scikit-learn", module="sklearn", needs=["numpy>=1.21"]),
    Named(dist="xgboost", version="1.7.0", conda="xgboost", needs=["numpy>=1.21"]),
    Named(dist="torch", version="2.0.0", conda="pytorch", needs=["numpy>=1.21"]),
    Named(dist="itsdangerous", version="2.1.2", conda="itsdangerous"),
    Named(dist="itsdangerous", version="2.2.0", conda="itsdangerous", uploaded=NEW),
    Named(dist="tensorflow", version="2.12.0", needs=["numpy>=1.21"]),
    Named(dist="transformers", version="4.28.0", needs=["numpy>=1.17"], code=_AUTO_MODEL),
    Named(dist="fastapi", version="0.95.0", conda="fastapi"),
    Named(dist="ipykernel", version="6.29.5", conda="ipykernel", module="ipykernel_launcher", code=_KERNEL),
)
#: Installed dist to what it needs, as Metaflow wants them in every step's environment.
REPACKED: Mapping[str, Sequence[str]] = {
    "certifi": (),
    "charset-normalizer": (),
    "idna": (),
    "urllib3": (),
    "requests": ("certifi", "charset-normalizer", "idna", "urllib3"),
    "jmespath": (),
    "six": (),
    "python-dateutil": ("six",),
    "botocore": ("jmespath", "python-dateutil", "urllib3"),
    "s3transfer": ("botocore",),
    "boto3": ("botocore", "jmespath", "s3transfer"),
}
#: Of the data of a hundred services, what the S3 datastore reads.
_LEFT_OUT = re.compile(r"(botocore|boto3)/(data/(?!s3/|sts/|[^/]+\.json$)|examples/)|.*\.so$|.*__pycache__")


def versions() -> dict[str, str]:
    """The version of each installed dist that is packed again."""
    return {name: metadata.version(name) for name in REPACKED}


def write_document_wheels(directory: Path) -> None:
    """Write a wheel of each package, for an index."""
    for item in PACKAGES:
        make_wheel(directory, item.dist, item.version, requires=item.needs, files=item.files(), uploaded=item.uploaded)
    for name, needs in REPACKED.items():
        version = metadata.version(name)
        info = wheel_files(name, version, requires=needs)
        content = _installed(name) | {path: data for path, data in info.items() if ".dist-info/" in path}
        pack_wheel(directory, name, version, content)


def add_document_packages(channel: ChannelBuilder) -> None:
    """Add a noarch conda package of each."""
    for item in PACKAGES:
        if item.conda:
            depends = [re.sub(r"([<>=])", r" \1", text, count=1) for text in item.needs]
            _add(channel, item.conda, item.version, item.dist, depends, item.files(), item.uploaded)
    for name, needs in REPACKED.items():
        _add(channel, name, metadata.version(name), name, needs, _installed(name), OLD)


def _add(
    channel: ChannelBuilder,
    name: str,
    version: str,
    dist: str,
    depends: Sequence[str],
    files: Mapping[str, str | bytes],
    timestamp: datetime,
) -> None:
    info = {
        path: data for path, data in installed_files(dist, version, "site-packages").items() if ".dist-info/" in path
    }
    placed = {f"site-packages/{path}": data for path, data in files.items()}
    channel.package(
        name, version, build="pyhd8ed1ab_0", depends=["python >=3.8", *depends], timestamp=timestamp,
        files={**placed, **info}, link={"noarch": {"type": "python"}, "package_metadata_version": 1}, noarch="python",
    )  # fmt: skip


def _installed(name: str) -> dict[str, bytes]:
    """The pure Python files of an installed dist, but for its metadata and scripts."""
    distribution = metadata.distribution(name)
    found = {}
    for path in distribution.files or ():
        text = path.as_posix()
        if not (text.startswith("..") or ".dist-info/" in text or _LEFT_OUT.match(text)):
            found[text] = path.locate().read_bytes()  # type: ignore[attr-defined]
    return found
