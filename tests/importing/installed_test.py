from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from envtag.errors import FatalError
from envtag.importing.installed import check_installed
from envtag.importing.model import Entry
from envtag.output import Output
from support.packages import pypi_package
from support.wheels import make_wheel

SITE = "lib/python3.11/site-packages"


@pytest.fixture
def wheel(tmp_path) -> Path:
    return make_wheel(tmp_path, "beta", "7.0")


@pytest.fixture
def prefix(tmp_path, wheel) -> Path:
    """The wheel, as an installer unpacks it."""
    target = tmp_path / "env" / SITE
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    record = target / "beta-7.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "beta-7.0.dist-info/INSTALLER,sha256=x,4\n")
    return tmp_path / "env"


def check(client, prefix: Path, wheel: Path, **entry) -> None:
    package = pypi_package(wheel)
    pin = Entry(package=package._replace(url="", sha256=""), where="env: beta-7.0.dist-info", **entry)
    check_installed(prefix, [pin], [package], config=client.config, output=Output())


def test_the_wheel_that_is_installed_is_fine(client, prefix, wheel):
    check(client, prefix, wheel)


def test_another_wheel_of_that_version_is_refused_by_the_file_that_differs(client, prefix, wheel):
    record = prefix / SITE / "beta-7.0.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("sha256=", "sha256=0", 1))
    with pytest.raises(FatalError, match=r"env: beta-7.0.dist-info: `beta 7.0` is not the wheel that the index has"):
        check(client, prefix, wheel)
    check(client, prefix, wheel, hashes=("a" * 64,))


def test_without_a_list_of_files_nothing_can_be_said(client, prefix, wheel):
    (prefix / SITE / "beta-7.0.dist-info" / "RECORD").unlink()
    with pytest.raises(FatalError, match="has no `RECORD` of its files"):
        check(client, prefix, wheel)


def test_what_is_no_wheel_is_refused(client, prefix, tmp_path):
    bad = tmp_path / "bad" / "beta-7.0-py3-none-any.whl"
    bad.parent.mkdir()
    bad.write_bytes(b"no zip")
    with pytest.raises(FatalError, match=r"`beta-7.0-py3-none-any.whl` is not a wheel"):
        check(client, prefix, bad)
