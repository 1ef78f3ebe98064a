from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.store import Store, open_store, probe
from support.azure import ACCOUNT
from support.faults import Fault


@pytest.fixture(params=["file", "s3", "gs", "az"])
def store(request, tmp_path) -> Store:
    if request.param == "file":
        return open_store((tmp_path / "store").as_uri())
    if request.param == "s3":
        return open_store(f"s3://{request.getfixturevalue('s3').bucket()}/registry")
    if request.param == "gs":
        return open_store(f"gs://{request.getfixturevalue('gcs').bucket()}/registry")
    return open_store(f"az://{ACCOUNT}/{request.getfixturevalue('azure').container()}/registry")


def test_a_store_that_keeps_its_promise_refuses_the_second_creation(store):
    written = probe.create_twice(store)
    assert (written.fresh, written.conditional, written.right) == (True, True, True)
    assert written.modified is not None
    again = probe.create_twice(store)
    assert (again.fresh, again.conditional, again.right) == (False, True, True)


def test_a_plain_write_is_done_where_nothing_forbids_it_and_the_object_goes_away(store):
    probe.create_twice(store)
    assert probe.overwrite(store) is True
    assert store.read(probe.KEY) == probe.CONTENT
    assert probe.remove(store) is True
    assert list(store.list("")) == []


def test_a_plain_write_that_s3_forbids_is_no(s3):
    store = open_store(f"s3://{s3.bucket()}")
    s3.faults.append(Fault(method="PUT", contains="doctor/", status=403, code="AccessDenied"))
    assert probe.overwrite(store) is False


def test_a_plain_write_that_google_forbids_is_no(gcs):
    store = open_store(f"gs://{gcs.bucket()}")
    gcs.faults.append(Fault(method="POST", contains="upload", status=403, code="forbidden"))
    assert probe.overwrite(store) is False


def test_a_plain_write_that_azure_forbids_is_no(azure):
    store = open_store(f"az://{ACCOUNT}/{azure.container()}")
    azure.faults.append(Fault(method="PUT", contains="doctor/", status=403, code="AuthorizationPermissionMismatch"))
    assert probe.overwrite(store) is False


def test_a_bucket_that_is_not_there_is_neither_yes_nor_no(s3):
    with pytest.raises(FatalError, match="does not exist"):
        probe.overwrite(open_store("s3://absent"))


def test_a_directory_that_cannot_be_written_is_no(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(probe, "write_atomic", refused)
    assert probe.overwrite(open_store(tmp_path.as_uri())) is False


def test_a_full_disk_is_neither_yes_nor_no(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(probe, "write_atomic", full)
    with pytest.raises(FatalError, match="No space left on device"):
        probe.overwrite(open_store(tmp_path.as_uri()))


def test_another_doctor_that_cleans_up_in_between_is_no_false_alarm(tmp_path, monkeypatch):
    store = open_store(tmp_path.as_uri())
    answers = iter([True, True, False])
    monkeypatch.setattr(type(store), "create", lambda *_: next(answers))
    assert probe.create_twice(store).conditional


def test_a_server_that_passes_conditions_over_is_found(tmp_path, monkeypatch):
    store = open_store(tmp_path.as_uri())
    monkeypatch.setattr(type(store), "create", lambda *_: True)
    assert not probe.create_twice(store).conditional


def test_an_unknown_kind_of_store_cannot_be_tried():
    class Odd:
        url = "odd://x"

    with pytest.raises(FatalError, match="cannot be tried"):
        probe.overwrite(Odd())
