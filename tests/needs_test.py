from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.needs import missing, needs_file, needs_of
from envtag.spec import SpecFile, parse
from support.locks import SAMPLE

NEEDS = {"requests": ">=2.21.0", "boto3": ">=1.14.0"}


def spec_of(name: str, text: str):
    return parse([SpecFile(name=name, data=text.encode())], None)


def test_every_step_needs_requests_and_its_datastores_library():
    assert needs_of("local") == {"requests": ">=2.21.0"}
    assert needs_of("s3") == NEEDS
    assert "azure-storage-blob" in needs_of("azure")
    assert "google-cloud-storage" in needs_of("gs")


def test_an_unknown_datastore_is_refused_by_name():
    with pytest.raises(FatalError, match="`ftp` is not a datastore"):
        needs_of("ftp")


def test_what_is_there_under_any_spelling_is_not_missing():
    assert missing({"google-auth": "", "packaging": ""}, ["Google_Auth"]) == {"packaging": ""}


def test_what_a_lock_lacks_is_told_whichever_manager_has_it():
    there = [package.name for package in SAMPLE.packages]
    assert missing({"flask": ">=2", "numpy": "", "boto3": ">=1"}, there) == {"boto3": ">=1"}
    assert missing({}, there) == {}


def test_needs_are_conda_packages_beside_conda_packages():
    file = needs_file(NEEDS, spec_of("environment.yml", "dependencies: [numpy, boto3]\n"))
    assert file is not None
    assert file.name == "metaflow-needs.yml"
    assert [item.match_spec() for item in parse([file], None).conda] == ["requests >=2.21.0"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("requirements.txt", "flask\n"), ("environment.yml", "dependencies: [python, pip: [flask]]\n")],
)
def test_needs_are_pypi_packages_where_nothing_but_python_is_from_conda(name: str, text: str):
    file = needs_file(NEEDS, spec_of(name, text))
    assert file is not None
    assert file.name == "metaflow-needs.txt"
    assert [item.text for item in parse([file], None).pypi] == ["boto3>=1.14.0", "requests>=2.21.0"]


def test_a_constraint_does_not_ask_for_a_package():
    spec = parse(
        [SpecFile(name="requirements.txt", data=b"-c pins.txt\nflask\n")],
        {"pins.txt": b"requests==2.31\n"}.__getitem__,
    )
    file = needs_file(needs_of("local"), spec)
    assert file is not None


def test_nothing_is_added_where_all_is_named():
    assert needs_file(NEEDS, spec_of("requirements.txt", "requests\nBoto3==1.30\n")) is None
