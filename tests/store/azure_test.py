from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.platforms import current_platform
from envtag.store import Store, open_store
from envtag.store.azure import AzureStore, open_url
from support.azure import ACCOUNT, KEY, AzureServer
from support.faults import Fault
from support.story import Story, released

CHUNK = 8 << 20
DATA = bytes(range(256)) * 16 * 256
LARGE = b"0123456789abcdef" * ((2 * CHUNK + 4096) // 16)
SHA256 = hashlib.sha256(DATA).hexdigest()
LARGE_SHA256 = hashlib.sha256(LARGE).hexdigest()
KEY_OF_DATA = f"objects/sha256/{SHA256[:2]}/{SHA256}.conda"
POINTER = "pointers/a@stable.json"


@pytest.fixture
def store(azure: AzureServer) -> Store:
    return open_store(f"az://{ACCOUNT}/{azure.container()}/some/prefix")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)


@pytest.mark.parametrize(
    ("url", "parts", "shown"),
    [
        ("az://account/container", ("account", "container", ""), "az://account/container"),
        ("az://account/container/", ("account", "container", ""), "az://account/container"),
        ("az://acc0unt/my-container-1/a/b//", ("acc0unt", "my-container-1", "a/b"), "az://acc0unt/my-container-1/a/b"),
    ],
)
def test_a_url_names_account_container_and_prefix(url: str, parts: tuple[str, str, str], shown: str):
    store = open_url(url)
    assert (store.account, store.container, store.prefix) == parts
    assert store.url == shown


@pytest.mark.parametrize(
    "url",
    [
        "az://", "az://account", "az://account/", "az:///container", "az://Account/container", "az://ac/container",
        "az://account/Container", "az://account/a--b", "az://account/-ab", "az://account/ab",
        f"az://account/{'a' * 64}",
        "az://account:80/container", "az://key:hunter2@account/container", "az://key@account/container",
        "az://account/container/a//b", "az://account/container/../x", "az://account/container/a?hunter2=1",
        "az://account/container?sv=1&sig=hunter2", "az://account/container/a#b", "az://account/container/a\\b",
        "az://account.blob.core.windows.net/container",
    ],
)  # fmt: skip
def test_a_url_that_names_no_store_is_refused_without_showing_a_secret(url: str):
    with pytest.raises(FatalError) as error:
        open_store(url)
    assert "hunter2" not in f"{error.value.message}{error.value.hint}"


def test_opening_asks_nothing_and_the_prefix_keeps_stores_apart(azure: AzureServer):
    container = azure.container()
    azure.requests.clear()
    one, other, whole = (open_store(f"az://{ACCOUNT}/{container}{prefix}") for prefix in ("/a", "/a/b", ""))
    assert azure.requests == []
    one.swap("tags/x@v1.json", b"1", None)
    assert other.read("tags/x@v1.json") is None
    assert [entry.key for entry in whole.list("")] == ["a/tags/x@v1.json"]
    assert whole.read("a/tags/x@v1.json") == b"1"


def test_directories_are_not_listed(azure: AzureServer):
    container = azure.container()
    azure.put(container, "a/tags/", b"")
    azure.put(container, "a/tags/x", b"1")
    with azure.client() as client:
        client.get_blob_client(container, "a/tags/b").upload_blob(b"", metadata={"hdi_isfolder": "true"})
    assert [entry.key for entry in open_store(f"az://{ACCOUNT}/{container}/a").list("tags/")] == ["tags/x"]


def test_a_listing_of_many_pages_is_whole_and_in_order(
    azure: AzureServer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    from azure.storage.blob import ContainerClient

    list_blobs = ContainerClient.list_blobs
    monkeypatch.setattr(ContainerClient, "list_blobs", lambda *a, **k: list_blobs(*a, **k, results_per_page=2))
    for name in ("a-b", "a/b", "a0", "b", "c"):
        store.swap(f"tags/{name}", b"", None)
    azure.faults = [Fault(method="GET", contains="comp=list&"), Fault(method="GET", contains="marker=", cut=True)]
    assert [entry.key for entry in store.list("tags/")] == [f"tags/{name}" for name in ("a-b", "a/b", "a0", "b", "c")]
    assert azure.seen("GET", "comp=list") == 5


@pytest.mark.parametrize("whole_bytes", [CHUNK, 1024])
def test_the_server_checks_what_it_gets(azure: AzureServer, whole_bytes: int):
    container = azure.container()
    store = AzureStore(account=ACCOUNT, container=container, prefix="", whole_bytes=whole_bytes)
    azure.spoiled = container
    with pytest.raises(FatalError, match=r"other bytes arrived there than were to be sent \(Md5Mismatch\)"):
        store.create(KEY_OF_DATA, DATA, SHA256)
    assert store.read(KEY_OF_DATA) is None
    azure.spoiled = container
    with pytest.raises(FatalError, match="Md5Mismatch"):
        store.swap(POINTER, b"1", None)


@pytest.mark.parametrize("fault", [503, 500, 429, 0])
def test_one_failure_on_any_kind_of_request_is_survived(azure: AzureServer, store: Store, tmp_path: Path, fault: int):
    code = "ServerBusy" if fault else ""
    kinds = [("PUT", "prefix/objects"), ("GET", "prefix/objects"), ("HEAD", ""), ("DELETE", ""), ("GET", "comp=list")]
    azure.faults = [Fault(method=method, contains=part, status=fault, code=code) for method, part in kinds]
    assert store.create(KEY_OF_DATA, DATA, SHA256)
    assert store.size(KEY_OF_DATA) == len(DATA)
    blocks: list[int] = []
    assert store.download(KEY_OF_DATA, tmp_path / "target", SHA256, blocks.append)
    assert sum(blocks) == len(DATA)
    assert [entry.size for entry in store.list("objects/")] == [len(DATA)]
    store.delete(KEY_OF_DATA)
    assert store.read(KEY_OF_DATA) is None
    assert [fault.times for fault in azure.faults] == [0] * len(kinds)


def test_a_failure_that_stays_is_told_after_a_few_attempts_and_leaves_no_file(
    azure: AzureServer, store: Store, tmp_path: Path
):
    store.create(KEY_OF_DATA, DATA, SHA256)
    azure.requests.clear()
    azure.faults = [Fault(method="GET", status=503, code="ServerBusy", times=99)]
    target = tmp_path / "targets" / "target"
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY_OF_DATA}` in {store.url}: .*ServerBusy"):
        store.download(KEY_OF_DATA, target, SHA256)
    assert azure.seen("GET") == 5
    azure.faults = [Fault(method="GET", cut=True, times=99)]
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY_OF_DATA}` in {store.url}: .*the connection broke"):
        store.download(KEY_OF_DATA, target, SHA256)
    azure.faults = [Fault(method="PUT", times=99)]
    with pytest.raises(UnreachableError, match=f"cannot write `{POINTER}` in {store.url}: .*the connection broke"):
        store.swap(POINTER, b"1", None)
    assert list(target.parent.iterdir()) == []


def test_a_download_that_broke_off_is_taken_up_near_where_it_broke(azure: AzureServer, store: Store, tmp_path: Path):
    store.create(KEY_OF_DATA, LARGE, LARGE_SHA256)
    azure.requests.clear()
    azure.faults = [Fault(method="GET", cut=True, times=2)]
    blocks: list[int] = []

    def progress(count: int) -> None:
        if not blocks:
            azure.faults += [Fault(method="GET", cut=True), Fault(method="GET")]
        blocks.append(count)

    assert store.download(KEY_OF_DATA, tmp_path / "target", LARGE_SHA256, progress)
    assert (tmp_path / "target").read_bytes() == LARGE
    assert sum(blocks) == len(LARGE)
    assert max(blocks) <= 1 << 20
    assert azure.seen("GET") == 3 + 4


@pytest.mark.parametrize("gone", [True, False])
def test_an_object_that_is_replaced_during_its_download_is_never_a_mixture(
    azure: AzureServer, tmp_path: Path, gone: bool
):
    container = azure.container()
    store = AzureStore(account=ACCOUNT, container=container, prefix="")
    store.create(KEY_OF_DATA, LARGE, LARGE_SHA256)

    def replace(_: int) -> None:
        if gone:
            store.delete(KEY_OF_DATA)
        else:
            azure.put(container, KEY_OF_DATA, LARGE[::-1])

    with pytest.raises(FatalError, match=f"`{KEY_OF_DATA}` in {store.url} was replaced while it was being read"):
        store.download(KEY_OF_DATA, tmp_path / "targets" / "target", LARGE_SHA256, replace)
    assert list((tmp_path / "targets").iterdir()) == []


def test_a_refused_condition_is_not_asked_again(azure: AzureServer, store: Store):
    store.swap(POINTER, b"1", None)
    azure.requests.clear()
    assert not store.swap(POINTER, b"2", None)
    assert not store.swap(POINTER, b"2", '"0x1D5BB0A57790980"')
    assert not store.create(POINTER, b"2", hashlib.sha256(b"2").hexdigest())
    assert azure.seen("PUT") == 3


def test_a_writer_whose_answer_was_lost_knows_its_own_work(azure: AzureServer, store: Store):
    azure.faults = [Fault(method="PUT", done=True)]
    assert store.create(KEY_OF_DATA, DATA, SHA256)
    azure.faults = [Fault(method="PUT", done=True)]
    assert store.swap(POINTER, b"1", None)
    found = store.read_versioned(POINTER)
    assert found is not None
    azure.faults = [Fault(method="PUT", done=True)]
    assert store.swap(POINTER, b"2", found[1])
    assert store.read(POINTER) == b"2"


def test_a_writer_whose_first_request_was_lost_does_not_take_anothers_work_for_its_own(
    azure: AzureServer, store: Store
):
    store.swap(POINTER, b"1", None)
    azure.faults = [Fault(method="PUT")]
    assert not store.swap(POINTER, b"1", None)
    azure.faults = [Fault(method="PUT")]
    assert not store.create(POINTER, b"1", hashlib.sha256(b"1").hexdigest())


def test_what_is_there_for_a_writer_and_gone_for_its_reader_ends(azure: AzureServer, store: Store):
    azure.faults = [Fault(method="PUT", status=409, code="BlobAlreadyExists", times=2)]
    assert store.create(KEY_OF_DATA, DATA, SHA256)
    azure.faults = [Fault(method="PUT", status=409, code="BlobAlreadyExists", times=99)]
    with pytest.raises(FatalError, match="is being written by others again and again"):
        store.create("objects/other.conda", DATA, SHA256)


def test_a_lease_is_no_lost_race(azure: AzureServer, store: Store):
    azure.faults = [Fault(method="PUT", status=412, code="LeaseIdMissing")]
    with pytest.raises(FatalError, match="a policy or a lease of somebody's forbids it"):
        store.swap(POINTER, b"1", None)


def test_snapshots_do_not_keep_an_object_from_being_deleted(azure: AzureServer):
    container = azure.container()
    store = AzureStore(account=ACCOUNT, container=container, prefix="")
    store.create(KEY_OF_DATA, DATA, SHA256)
    with azure.client() as client:
        client.get_blob_client(container, KEY_OF_DATA).create_snapshot()
    store.delete(KEY_OF_DATA)
    assert store.size(KEY_OF_DATA) is None


TRANSFER = """\
import re, sys
from pathlib import Path
from envtag.store import open_store
store, source, sha256 = open_store(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
store.swap("tags/x", b"", None), store.read("tags/x")
most = lambda: int(re.search("VmHWM: *([0-9]+)", Path("/proc/self/status").read_text().replace("\\t", " "))[1])
before = most()
store.create("objects/large", source, sha256)
store.download("objects/large", source.with_name("target"), sha256)
print(most() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
def test_memory_does_not_grow_with_the_size_of_an_object(azure: AzureServer, store: Store, tmp_path: Path):
    digest = hashlib.sha256()
    with (tmp_path / "source").open("wb") as stream:
        for _ in range(200):
            stream.write(bytes(1 << 20))
            digest.update(bytes(1 << 20))
    command = [sys.executable, "-c", TRANSFER, store.url, str(tmp_path / "source"), digest.hexdigest()]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert int(done.stdout) < 100 << 10


def test_what_is_published_to_a_container_runs_on_a_machine_that_has_only_the_container(
    azure: AzureServer, make_story: Callable[..., Story], tmp_path: Path
):
    story = make_story(released)
    url = f"az://{ACCOUNT}/{azure.container()}/envtag"
    settings = story.path / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.envtag]\n", f'[tool.envtag]\nstore = "{url}"\n', 1))
    story.commit("Keep packages in a container")
    published = story.run("publish", **azure.variables())
    store = open_store(url)
    tag = store.read("tags/mlp/base@v1.json")
    assert tag is not None
    assert list(store.list("objects/"))
    azure.requests.clear()
    other = {**azure.variables(), "ENVTAG_HOME": str(tmp_path / "other"), "ENVTAG_MIRRORS": ""}
    ran = story.run(
        "run", "--offline", "mlp/base:v1", "--", "python", "-c", "import alpha, sys; print(sys.prefix)", **other
    )
    assert ran.out.startswith(str(tmp_path / "other"))
    assert azure.seen("GET", "/envtag/objects/") > 0
    assert azure.seen("PUT") == 0
    again = story.run("publish", **azure.variables())
    assert azure.seen("PUT", "/objects/") == 0
    for told in (published, ran, again):
        assert KEY not in told.out + told.err
    assert current_platform() in tag.decode()
