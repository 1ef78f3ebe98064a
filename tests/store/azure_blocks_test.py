from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.store.azure import AzureStore
from envtag.store.azure_blocks import block_size
from support.azure import ACCOUNT, AzureServer
from support.faults import Fault

BLOCK = 64 << 10
DATA = b"0123456789abcdef" * ((2 * BLOCK + 1000) // 16)
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "objects/large.conda"


@pytest.fixture
def store(azure: AzureServer) -> AzureStore:
    return AzureStore(
        account=ACCOUNT, container=azure.container(), prefix="p", whole_bytes=BLOCK // 2, block_bytes=BLOCK
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)


def test_a_large_file_is_sent_in_blocks(azure: AzureServer, store: AzureStore, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    assert store.create(KEY, source, SHA256)
    assert azure.seen("PUT", "comp=block&") == 3
    assert azure.seen("PUT", "comp=blocklist") == 1
    assert store.download(KEY, tmp_path / "target", SHA256)
    assert not store.create(KEY, source, SHA256)
    assert azure.seen("PUT", "comp=block&") == 3


def test_many_blocks_keep_their_order(store: AzureStore):
    data = b"".join(b"%08d" % number for number in range(20_000))
    store.block_bytes = 8 << 10
    assert store.create(KEY, data, hashlib.sha256(data).hexdigest())
    assert store.read(KEY) == data


def test_blocks_that_are_not_the_promised_whole_never_become_an_object(azure: AzureServer, store: AzureStore):
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 {SHA256}, expected {'0' * 64}"):
        store.create(KEY, DATA, "0" * 64)
    assert azure.seen("PUT", "comp=blocklist") == 0
    assert store.read(KEY) is None
    assert list(store.list("")) == []


def test_of_two_uploads_at_once_one_is_completed(azure: AzureServer, store: AzureStore):
    azure.faults = [Fault(method="HEAD", status=404, code="BlobNotFound", times=2)]  # neither sees the other's
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: store.create(KEY, DATA, SHA256), range(2)))
    assert sorted(made) == [False, True]
    assert azure.seen("PUT", "comp=block&") == 6
    assert store.read(KEY) == DATA


def test_an_upload_whose_blocks_anothers_work_swept_away_begins_anew(azure: AzureServer, store: AzureStore):
    azure.faults = [Fault(method="PUT", contains="comp=blocklist", status=400, code="InvalidBlockList")]
    assert store.create(KEY, DATA, SHA256)
    assert azure.seen("PUT", "comp=blocklist") == 2
    assert azure.seen("PUT", "comp=block&") == 6


def test_an_upload_that_is_refused_is_told(azure: AzureServer, store: AzureStore):
    azure.faults = [Fault(method="PUT", contains="comp=block&", status=403, code="AuthorizationPermissionMismatch")]
    with pytest.raises(FatalError, match=f"access denied: these credentials may not write `{KEY}`"):
        store.create(KEY, DATA, SHA256)
    assert azure.seen("PUT", "comp=blocklist") == 0


def test_blocks_of_another_kind_of_upload_are_told(azure: AzureServer, store: AzureStore):
    with azure.client() as client:
        client.get_blob_client(store.container, f"p/{KEY}").stage_block("a", b"other")
    with pytest.raises(FatalError, match=r"something of another kind is in its place, or was begun there"):
        store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize("status", [503, 0])
def test_a_block_that_did_not_arrive_is_sent_again(azure: AzureServer, store: AzureStore, status: int):
    azure.faults = [Fault(method="PUT", contains="comp=block&", status=status, code="ServerBusy")]
    azure.faults += [Fault(method="PUT", contains="comp=blocklist", status=status, code="ServerBusy")]
    assert store.create(KEY, DATA, SHA256)
    assert store.read(KEY) == DATA
    assert azure.seen("PUT", "comp=block&") == 4


def test_a_completion_whose_answer_is_lost_is_still_its_own(azure: AzureServer, store: AzureStore):
    azure.faults = [Fault(method="PUT", contains="comp=blocklist", done=True)]
    assert store.create(KEY, DATA, SHA256)
    assert store.read(KEY) == DATA
    store.delete(KEY)
    azure.faults = [
        Fault(method="PUT", contains="comp=blocklist", done=True),
        Fault(method="PUT", contains="comp=blocklist", status=400, code="InvalidBlockList"),
    ]
    assert store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize(("wanted", "size", "block"), [(16, 100, 16), (16, 800_000, 16), (16, 800_001, 17), (5, 0, 5)])
def test_there_are_never_more_blocks_than_azure_takes(wanted: int, size: int, block: int):
    assert block_size(wanted, size) == block
