from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Config
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.output import Output
from envtag.package import Package
from envtag.prefix import marker
from envtag.prefix.audit import Audit, audit
from envtag.prefix.creation import hydrate
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_lock, make_lock, pypi_package
from support.wheels import make_wheel

SITE = "lib/python3.11/site-packages"
ALPHA = Package(
    manager="conda", name="alpha", version="1.0", build="0", subdir="noarch", url="https://x.example/alpha-1.0-0.conda",
    sha256="a" * 64, md5="b" * 32,
)  # fmt: skip
OMICRON = Package(
    manager="pypi", name="omicron", version="1.0", url="https://x.example/omicron-1.0-py3-none-any.whl", sha256="c" * 64
)
LOCK = Lock(platform="linux-64", request="a" * 40, interpreter="conda", python="3.11", packages=(ALPHA, OMICRON))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A conda prefix with a file, a rewritten one, a link and an empty directory, and a wheel with a script."""
    prefix = tmp_path / "env"
    contents = {
        "lib/alpha.so": b"alpha", "bin/alpha": b"#!/final/bin/python\n", f"{SITE}/omicron.py": b"omicron",
        "bin/omicron": b"#!/final/bin/python\n#", f"{SITE}/omicron-1.0.dist-info/METADATA": b"Name: omicron\n",
    }  # fmt: skip
    for name, data in contents.items():
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_bytes(data)
    (prefix / "lib/alpha.so.1").symlink_to("alpha.so")
    (prefix / "share/alpha").mkdir(parents=True)
    paths: list[dict[str, Any]] = [
        {"_path": "lib/alpha.so", "path_type": "hardlink", "sha256": sha(b"alpha")},
        {
            "_path": "bin/alpha", "path_type": "hardlink", "sha256": "0" * 64,
            "sha256_in_prefix": sha(contents["bin/alpha"]),
        },
        {"_path": "lib/alpha.so.1", "path_type": "softlink", "sha256": sha(b"alpha")},
        {"_path": "share/alpha", "path_type": "directory"},
    ]  # fmt: skip
    record = {"name": "alpha", "version": "1.0", "build": "0", "sha256": "a" * 64, "paths_data": {"paths": paths}}
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta/alpha-1.0-0.json").write_text(json.dumps(record))
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(contents[path]).digest()).rstrip(b'=').decode()},9"
        for name, path in (
            ("omicron.py", f"{SITE}/omicron.py"), ("../../../bin/omicron", "bin/omicron"),
            ("omicron-1.0.dist-info/METADATA", f"{SITE}/omicron-1.0.dist-info/METADATA"),
        )
    ]  # fmt: skip
    rows += ["omicron-1.0.dist-info/RECORD,,", "__pycache__/omicron.cpython-311.pyc,,"]
    (prefix / SITE / "omicron-1.0.dist-info/RECORD").write_text("\n".join(rows) + "\n")
    mark(prefix, LOCK)
    return prefix


def mark(prefix: Path, lock: Lock) -> None:
    made = marker.Marker(
        lock=lock.id, request=lock.request, platform=lock.platform, interpreter="conda", python="3.11.7"
    )
    marker.write(prefix, made)


def faults(found: Audit) -> list[tuple[str, str, str]]:
    return [(fault.kind, fault.subject, fault.found) for fault in found.faults]


def test_what_is_as_it_was_installed_is_right(prefix: Path):
    found = audit(prefix, LOCK)
    assert (found.faults, found.extra, found.files) == ((), (), 8)
    assert found.bytes > 0
    assert audit(prefix) == found


@pytest.mark.parametrize(
    "path", ["lib/alpha.so", "bin/alpha", "bin/omicron", f"{SITE}/omicron.py", f"{SITE}/omicron-1.0.dist-info/METADATA"]
)
def test_a_file_that_was_changed_or_removed_is_named(prefix: Path, path: str):
    (prefix / path).write_bytes(b"other")
    assert faults(audit(prefix)) == [("file", path, f"sha256 {sha(b'other')}")]
    (prefix / path).unlink()
    assert ("file", path, "none") in faults(audit(prefix))


@pytest.mark.parametrize("target", ["../bin/alpha", "missing", "/etc/hostname"])
def test_a_link_that_leads_elsewhere_is_named(prefix: Path, target: str):
    (prefix / "lib/alpha.so.1").unlink()
    (prefix / "lib/alpha.so.1").symlink_to(target)
    assert faults(audit(prefix)) == [("file", "lib/alpha.so.1", f"a link to {target}")]


def test_a_link_may_be_a_copy_and_a_directory_must_be_one(prefix: Path):
    (prefix / "lib/alpha.so.1").unlink()
    (prefix / "lib/alpha.so.1").write_bytes(b"alpha")
    assert audit(prefix).faults == ()
    (prefix / "share/alpha").rmdir()
    assert faults(audit(prefix)) == [("file", "share/alpha", "something else")]


def test_what_cannot_be_read_is_named(prefix: Path):
    (prefix / "lib/alpha.so").unlink()
    (prefix / "lib/alpha.so").mkdir()
    assert faults(audit(prefix))[0] == ("file", "lib/alpha.so", "Is a directory")


def test_what_is_of_no_package_is_told_and_caches_of_python_are_not(prefix: Path):
    (prefix / "notes.txt").write_text("mine")
    (prefix / SITE / "__pycache__").mkdir()
    (prefix / SITE / "__pycache__/omicron.cpython-311.pyc").write_bytes(b"")
    (prefix / SITE / "old.pyc").write_bytes(b"")
    (prefix / "lib/more").symlink_to("/")
    found = audit(prefix)
    assert (found.faults, found.extra) == ((), ("lib/more", "notes.txt"))


def test_packages_are_compared_with_the_lock(prefix: Path):
    other = LOCK._replace(packages=(ALPHA._replace(sha256="d" * 64), OMICRON._replace(name="pi"), OMICRON))
    mark(prefix, other)
    found = audit(prefix, other)
    assert [(fault.subject, fault.expected, fault.found) for fault in found.faults] == [
        ("conda alpha", f"alpha 1.0 0 {'d' * 64}", f"alpha 1.0 0 {'a' * 64}"),
        ("pypi pi", "1.0", "none"),
    ]


def test_a_wheel_that_somebody_installed_is_one_too_many(prefix: Path):
    dist = prefix / SITE / "Own_Thing-2.0.dist-info"
    dist.mkdir()
    (dist / "RECORD").write_text("Own_Thing-2.0.dist-info/RECORD,,\n")
    assert faults(audit(prefix, LOCK)) == [("package", "pypi own-thing", "2.0")]
    assert audit(prefix).faults == ()


@pytest.mark.parametrize(("locked", "there", "same"), [
    ("1.0+cpu", "1.0_cpu", True), ("1.0", "1.0.0", True), ("1.0", "1.1", False), ("1.0", "odd!", False),
])  # fmt: skip
def test_versions_are_compared_as_versions(prefix: Path, locked: str, there: str, same: bool):
    (prefix / SITE / "omicron-1.0.dist-info").rename(prefix / SITE / f"omicron-{there}.dist-info")
    lock = LOCK._replace(packages=(ALPHA, OMICRON._replace(version=locked)))
    mark(prefix, lock)
    kinds = {fault.kind for fault in audit(prefix, lock).faults}
    assert ("package" in kinds) is not same


def test_another_lock_than_asked_for(prefix: Path):
    lock = LOCK._replace(python="3.12")
    assert faults(audit(prefix, lock))[0] == ("marker", "lock", LOCK.id)


def test_what_envtag_did_not_finish_is_no_environment(prefix: Path):
    (prefix / marker.MARKER).unlink()
    assert faults(audit(prefix)) == [("marker", str(marker.MARKER), "none")]


def test_records_that_are_gone_or_malformed(prefix: Path):
    record = prefix / SITE / "omicron-1.0.dist-info/RECORD"
    record.write_bytes(b"\xff")
    assert faults(audit(prefix))[0][:2] == ("file", f"{SITE}/omicron-1.0.dist-info/RECORD")
    record.unlink()
    assert faults(audit(prefix)) == [("file", f"{SITE}/omicron-1.0.dist-info/RECORD", "none")]
    (prefix / "conda-meta/alpha-1.0-0.json").write_text("{}")
    with pytest.raises(FatalError, match="is no record of a package"):
        audit(prefix)


@pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")
@pytest.mark.parametrize("venv", [False, True])
def test_a_real_environment(client: Any, conda_channel: Path, running_python: str, tmp_path: Path, venv: bool):
    wheel = pypi_package(make_wheel(tmp_path / "wheels", "omicron", "1.0", scripts={"omicron": "omicron:main"}))
    lock = conda_lock(conda_channel, running_python, ["alpha", "numpyish", "libarch"], [wheel])
    if venv:
        lock = make_lock([wheel], interpreter="uv", python=running_python)
    config = Config(
        directories=client.config.directories, mirrors=Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}")
    )
    prefix = tmp_path / "env"
    hydrate(lock, prefix, store=None, config=config, offline=False, output=Output())
    found = audit(prefix, lock)
    assert (found.faults, found.extra) == ((), ())
    (prefix / "bin" / "omicron").write_text("evil")
    assert [fault.subject for fault in audit(prefix, lock).faults] == ["bin/omicron"]
