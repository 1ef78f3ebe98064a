from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.pods import bundle
from envtag.pods.bundle import bundles, pure_distributions


def names(data: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return set(archive.namelist())


def test_it_is_the_same_bytes_each_time_and_has_what_a_pod_imports():
    first, rest = bundles(pure_distributions())
    assert bundles(pure_distributions()) == (first, rest)
    there = names(first)
    assert {
        "envtag/pods/bootstrap.py", "boto3/__init__.py", "requests/__init__.py", "packaging/version.py", "six.py",
        "certifi/cacert.pem", "botocore/data/endpoints.json", "urllib3/__init__.py",
    } <= there  # fmt: skip
    assert not [name for name in there | names(rest) if name.endswith(".so") or name.startswith("..")]
    assert not [name for name in there if name.endswith(("/RECORD", "/INSTALLER", "/direct_url.json"))]


def test_its_modules_are_compiled_for_the_python_that_made_it(tmp_path: Path):
    with zipfile.ZipFile(io.BytesIO(bundles(pure_distributions())[0])) as archive:
        archive.extractall(tmp_path)
    text = "import sys, requests; print([m.__cached__ for m in (requests, requests.models)], requests.models.__file__)"
    command = [sys.executable, "-S", "-v", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {text}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"matches {tmp_path}/requests/models.py" in done.stderr
    assert f"# wrote {tmp_path!s}" not in done.stderr.replace("'", "")
    assert f"{tmp_path}/requests/models.py" in done.stdout


def test_descriptions_of_services_are_apart_but_for_those_that_metaflow_asks():
    first, rest = (names(data) for data in bundles(pure_distributions()))
    assert any(name.startswith("botocore/data/s3/") for name in first)
    assert any(name.startswith("botocore/data/ec2/") for name in rest)
    assert {name.split("/")[1] for name in rest} == {"data"}
    assert not first & rest


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(bundle, "distribution", missing)
    with pytest.raises(FatalError, match="is not installed beside envtag, and pods need it"):
        pure_distributions()
