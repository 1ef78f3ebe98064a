from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from envtag.doctoring.storage import storage
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.store import Store, open_store, probe
from support.faults import Fault


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


def severities(found: list[Finding]) -> dict[str, str]:
    assert len({item.rule for item in found}) == len(found)
    return {item.rule: item.severity for item in found}


def test_a_directory_that_is_well_is_left_as_it_was(local):
    assert severities(storage(local)) == {
        "store": "note",
        "store-writable": "note",
        "store-conditional": "note",
        "clock": "note",
        "store-overwrite": "warning",
        "store-delete": "note",
    }
    assert list(local.list("")) == []


def test_a_bucket_without_a_policy_lets_its_publisher_replace_and_delete(s3):
    found = storage(open_store(f"s3://{s3.bucket()}"))
    assert severities(found)["store-overwrite"] == "error"
    assert severities(found)["store-delete"] == "warning"
    (overwrite,) = (item for item in found if item.rule == "store-overwrite")
    assert "docs/storage.md" in overwrite.hint


def test_a_bucket_with_the_policies_of_the_docs_is_well(s3, monkeypatch):
    store = open_store(f"s3://{s3.bucket()}")
    real = probe.overwrite

    def under_policy(target: Store) -> bool:
        s3.faults.append(Fault(method="PUT", contains="doctor/", status=403, code="AccessDenied"))
        return real(target)

    monkeypatch.setattr(probe, "overwrite", under_policy)
    s3.faults.append(Fault(method="DELETE", status=403, code="AccessDenied"))
    found = storage(store)
    assert set(severities(found).values()) == {"note"}
    assert f"`{probe.KEY}` stays there" in found[-1].message
    assert [entry.key for entry in store.list("")] == [probe.KEY]


def test_a_bucket_that_is_not_there_is_one_error(s3):
    (found,) = storage(open_store("s3://absent"))
    assert (found.rule, found.severity) == ("store", "error")
    assert found.hint


def test_who_only_reads_is_warned_and_no_more_is_tried(s3):
    store = open_store(f"s3://{s3.bucket()}")
    s3.faults.append(Fault(method="PUT", status=403, code="AccessDenied", times=99))
    assert severities(storage(store)) == {"store": "note", "store-writable": "warning"}


def test_a_server_that_passes_conditions_over_is_an_error(local, monkeypatch):
    monkeypatch.setattr(type(local), "create", lambda *_: True)
    (found,) = (item for item in storage(local) if item.rule == "store-conditional")
    assert found.severity == "error"
    assert "creates objects where there are some" in found.message


def test_other_bytes_than_were_written_are_an_error(local, monkeypatch):
    monkeypatch.setattr(type(local), "read", lambda *_: b"x")
    (found,) = (item for item in storage(local) if item.rule == "store-conditional")
    assert (found.severity, "has other bytes" in found.message) == ("error", True)


@pytest.mark.parametrize(("offset", "word"), [(-3600, "ahead of"), (3600, "behind")])
def test_a_clock_that_is_off_is_pointed_out(local, monkeypatch, offset, word):
    def skewed(_: Store) -> probe.Written:
        modified = datetime.now(timezone.utc) + timedelta(seconds=offset)
        return probe.Written(fresh=True, conditional=True, modified=modified, right=True)

    monkeypatch.setattr(probe, "create_twice", skewed)
    (found,) = (item for item in storage(local) if item.rule == "clock")
    assert found.severity == "warning"
    assert f"s {word} that of" in found.message


def test_what_was_there_before_says_nothing_of_the_clock(local):
    probe.create_twice(local)
    assert "clock" not in severities(storage(local))


def test_azure_has_no_role_for_it_so_it_is_a_warning(local, monkeypatch):
    class Azure:
        url = "az://account/container"
        list = staticmethod(local.list)

    monkeypatch.setattr(
        probe, "create_twice", lambda _: probe.Written(fresh=False, conditional=True, modified=None, right=True)
    )
    monkeypatch.setattr(probe, "overwrite", lambda _: True)

    def refused(_: Store) -> bool:
        raise FatalError("access denied")

    monkeypatch.setattr(probe, "remove", refused)
    found = storage(Azure())
    assert severities(found)["store-overwrite"] == "warning"
    assert severities(found)["store-delete"] == "note"
