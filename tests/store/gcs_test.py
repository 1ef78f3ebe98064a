from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from envtag.errors import FatalError, UnreachableError
from envtag.platforms import current_platform
from envtag.store import Store, gcs_upload, open_store
from envtag.store.gcs import GcsStore, open_url
from support.faults import Fault
from support.gcs import GcsServer
from support.story import Story, released

DATA = bytes(range(256)) * 16 * 1024
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = f"objects/sha256/{SHA256[:2]}/{SHA256}.conda"
POINTER = "pointers/a@stable.json"


@pytest.fixture
def store(gcs: GcsServer) -> Store:
    return open_store(f"gs://{gcs.bucket()}/some/prefix")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)


@pytest.mark.parametrize(
    ("url", "bucket", "prefix", "shown"),
    [
        ("gs://bucket", "bucket", "", "gs://bucket"),
        ("gs://bucket/", "bucket", "", "gs://bucket"),
        ("gs://my.bucket_1/a/b//", "my.bucket_1", "a/b", "gs://my.bucket_1/a/b"),
    ],
)
def test_a_url_names_bucket_and_prefix(url: str, bucket: str, prefix: str, shown: str):
    store = open_url(url)
    assert (store.bucket, store.prefix, store.url) == (bucket, prefix, shown)


@pytest.mark.parametrize(
    "url",
    [
        "gs://", "gs:///prefix", "gs://key:hunter2@bucket/x", "gs://key@bucket", "gs://bucket:80/x",
        "gs://bucket/a//b", "gs://bucket/../x", "gs://bucket/a?hunter2=1", "gs://bucket/a?X-Goog-Signature=hunter2",
        "gs://bucket/a#b", "gs://bucket?generation=hunter2", "gs://buck et/x", "gs://bucket/a\\b", "gs://Bucket/x",
    ],
)  # fmt: skip
def test_a_url_that_names_no_store_is_refused_without_showing_a_secret(url: str):
    with pytest.raises(FatalError) as error:
        open_store(url)
    assert "hunter2" not in f"{error.value.message}{error.value.hint}"


def test_opening_asks_nothing_and_the_prefix_keeps_stores_apart(gcs: GcsServer):
    bucket = gcs.bucket()
    one, other, whole = (open_store(f"gs://{bucket}{prefix}") for prefix in ("/a", "/a/b", ""))
    assert gcs.requests == []
    one.swap("tags/x@v1.json", b"1", None)
    assert other.read("tags/x@v1.json") is None
    assert [entry.key for entry in whole.list("")] == ["a/tags/x@v1.json"]
    assert whole.read("a/tags/x@v1.json") == b"1"


def test_marks_of_directories_are_not_listed(gcs: GcsServer):
    bucket = gcs.bucket()
    gcs.put(bucket, "a/tags/x", b"1")
    gcs.put(bucket, "a/tags/.hidden", b"1")
    assert [entry.key for entry in open_store(f"gs://{bucket}/a").list("tags/")] == ["tags/x"]


def test_a_listing_has_all_pages(gcs: GcsServer, store: Store):
    for number in range(5):
        store.swap(f"tags/a@v{number}.json", b"1", None)
    gcs.page = 2
    gcs.requests.clear()
    assert [entry.key for entry in store.list("tags/")] == [f"tags/a@v{number}.json" for number in range(5)]
    assert gcs.seen("GET", "/o?") == 3


def test_names_that_need_quoting_are_kept_apart(store: Store):
    for key in ("tags/a b+c%2Fd@v1&x=1.json", "tags/a b+c/d@v1&x=1.json"):
        assert store.swap(key, key.encode(), None)
        assert store.read(key) == key.encode()
        assert store.size(key) == len(key)
    assert len(list(store.list("tags/a b+c"))) == 2


def test_the_server_checks_the_hash_of_what_it_gets(gcs: GcsServer, store: Store, monkeypatch: pytest.MonkeyPatch):
    kept = gcs_upload.description
    monkeypatch.setattr(gcs_upload, "description", lambda writer, _: kept(writer, hashlib.md5(b"other").digest()))
    with pytest.raises(FatalError, match="other bytes arrived there than were to be sent"):
        store.create(KEY, DATA, SHA256)
    assert store.read(KEY) is None


@pytest.mark.parametrize("kind", ["busy", "reset", "cut"])
def test_one_failure_on_any_kind_of_request_is_survived(gcs: GcsServer, store: Store, tmp_path: Path, kind: str):
    fields: dict[str, Any] = {"busy": {"status": 503, "code": "backendError"}, "reset": {}, "cut": {"cut": True}}[kind]
    places = [("POST", "uploadType"), ("GET", "fields=size"), ("GET", "alt=media"), ("GET", "prefix="), ("DELETE", "")]
    gcs.faults = [Fault(method=method, contains=part, **fields) for method, part in places]
    if kind == "cut":
        gcs.faults.pop()  # an answer without a body
    assert store.create(KEY, DATA, SHA256)
    assert store.size(KEY) == len(DATA)
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "target", SHA256, blocks.append)
    assert sum(blocks) == len(DATA)
    assert [entry.size for entry in store.list("objects/")] == [len(DATA)]
    store.delete(KEY)
    assert store.read(KEY) is None
    assert [fault.times for fault in gcs.faults] == [0] * len(gcs.faults)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (408, ""),
        (429, "rateLimitExceeded"),
        (500, "internalError"),
        (502, ""),
        (504, ""),
        (403, "userRateLimitExceeded"),
    ],
)
def test_throttling_is_waited_out(gcs: GcsServer, store: Store, status: int, code: str):
    gcs.faults = [Fault(method="POST", status=status, code=code, times=4)]
    assert store.create(KEY, DATA, SHA256)
    assert gcs.seen("POST") == 5


def test_the_pauses_grow_and_differ(gcs: GcsServer, store: Store, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("envtag.store.attempts.time.sleep", pauses.append)
    gcs.faults = [Fault(method="GET", status=429, times=99)]
    with pytest.raises(UnreachableError):
        store.size(KEY)
    assert len(pauses) == 4
    assert pauses == sorted(pauses)
    assert 0.15 <= pauses[0] <= 0.25
    assert pauses[3] <= 2


def test_a_failure_that_stays_is_told_after_a_few_attempts_and_leaves_no_file(gcs: GcsServer, store: Store, tmp_path):
    store.create(KEY, DATA, SHA256)
    gcs.requests.clear()
    gcs.faults = [Fault(method="GET", status=503, code="backendError", times=99)]
    target = tmp_path / "targets" / "target"
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY}` in {store.url}: .*backendError"):
        store.download(KEY, target, SHA256)
    assert gcs.seen("GET") == 5
    gcs.faults = [Fault(method="GET", cut=True, times=99)]
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY}` in {store.url}: .*the connection broke"):
        store.download(KEY, target, SHA256)
    assert list(target.parent.iterdir()) == []


def test_a_download_that_broke_off_is_taken_up_where_it_broke(gcs: GcsServer, store: Store, tmp_path: Path):
    store.create(KEY, DATA, SHA256)
    gcs.faults = [Fault(method="GET", cut=True, times=2)]
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "target", SHA256, blocks.append)
    assert (tmp_path / "target").read_bytes() == DATA
    assert sum(blocks) == len(DATA)
    assert gcs.seen("GET") == 3


def test_a_body_that_ends_too_early_without_a_word_is_taken_up_too(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.create(KEY, DATA, SHA256)
    whole = requests.Response.iter_content
    most = 1

    def short(self: requests.Response, size: int) -> Iterator[bytes]:
        for number, block in enumerate(whole(self, size)):
            if number < most:
                yield block

    monkeypatch.setattr("requests.Response.iter_content", short)
    assert store.read(KEY) == DATA  # four blocks, one an attempt
    most = 0
    with pytest.raises(UnreachableError, match="the connection broke"):
        store.read(KEY)


def test_an_object_that_is_replaced_during_its_download_is_never_a_mixture(gcs: GcsServer, tmp_path: Path):
    bucket = gcs.bucket()
    store = GcsStore(bucket=bucket, prefix="")
    store.create(KEY, DATA, SHA256)
    gcs.faults = [Fault(method="GET", cut=True)]

    def replace(_: int) -> None:
        gcs.put(bucket, KEY, DATA[::-1])

    with pytest.raises(FatalError, match=f"`{KEY}` in gs://{bucket} was replaced while it was being read"):
        store.download(KEY, tmp_path / "targets" / "target", SHA256, replace)
    assert list((tmp_path / "targets").iterdir()) == []


def test_a_server_that_sends_the_whole_where_the_rest_is_asked_for_is_no_store(gcs: GcsServer, store: Store):
    store.create(KEY, DATA, SHA256)
    gcs.faults = [Fault(method="GET", cut=True)]
    gcs.ranges = False
    with pytest.raises(FatalError, match=f"cannot read `{KEY}` as it must be \\(noRanges\\)"):
        store.read(KEY)


def test_a_server_without_generations_is_no_store(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.swap(POINTER, b"1", None)
    monkeypatch.setattr("support.gcs.GENERATION", "X-Other")
    with pytest.raises(FatalError, match=r"cannot read `pointers/a@stable\.json` as it must be"):
        store.read(POINTER)


def test_an_answer_that_is_not_json_is_told(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("requests.Response.json", lambda _: int("<html>"))
    with pytest.raises(FatalError, match=r"the server of .* cannot list `tags/` as it must be"):
        list(store.list("tags/"))


def test_a_refused_condition_is_not_asked_again(gcs: GcsServer, store: Store):
    store.swap(POINTER, b"1", None)
    gcs.requests.clear()
    assert not store.swap(POINTER, b"2", None)
    assert not store.swap(POINTER, b"2", "12345")
    assert gcs.requests == [text for text in gcs.requests if text.startswith("POST ")]
    assert len(gcs.requests) == 2
    assert not store.swap(POINTER, b"2", "0")  # what must not be there is said with None
    assert len(gcs.requests) == 2
    assert store.read(POINTER) == b"1"


def test_a_writer_whose_answer_was_lost_knows_its_own_work(gcs: GcsServer, store: Store):
    gcs.faults = [Fault(method="POST", done=True)]
    assert store.create(KEY, DATA, SHA256)
    gcs.faults = [Fault(method="POST", done=True)]
    assert store.swap(POINTER, b"1", None)
    found = store.read_versioned(POINTER)
    assert found is not None
    gcs.faults = [Fault(method="POST", done=True)]
    assert store.swap(POINTER, b"2", found[1])
    assert store.read(POINTER) == b"2"


def test_a_writer_whose_first_request_was_lost_does_not_take_anothers_work_for_its_own(gcs: GcsServer, store: Store):
    store.swap(POINTER, b"1", None)
    gcs.faults = [Fault(method="POST")]
    assert not store.swap(POINTER, b"1", None)


def test_an_object_that_comes_and_goes_is_written_a_bounded_number_of_times(gcs: GcsServer, store: Store):
    gcs.faults = [Fault(method="POST", status=412, code="conditionNotMet", times=99)]
    with pytest.raises(FatalError, match="is being written by others again and again"):
        store.create(KEY, DATA, SHA256)
    assert gcs.seen("POST") == 5


def test_one_connection_serves_all_threads(gcs: GcsServer, store: Store, monkeypatch: pytest.MonkeyPatch):
    made: list[object] = []
    init = requests.Session.__init__
    monkeypatch.setattr("requests.Session.__init__", lambda self: (made.append(self), init(self))[1])
    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(lambda number: store.swap(f"tags/a@v{number}.json", b"1", None), range(64)))
    assert len(made) == 1


def test_a_bucket_that_only_may_be_read_serves_readers_and_tells_writers(gcs: GcsServer, store: Store, tmp_path: Path):
    store.create(KEY, DATA, SHA256)
    gcs.faults = [Fault(method=method, status=403, code="forbidden", times=99) for method in ("POST", "PUT", "DELETE")]
    assert store.download(KEY, tmp_path / "target", SHA256)
    gcs.requests.clear()
    for verb, call in (("write", lambda: store.swap(POINTER, b"1", None)), ("delete", lambda: store.delete(KEY))):
        with pytest.raises(FatalError, match=f"access denied: these credentials may not {verb} `.*` in {store.url}"):
            call()
    assert len(gcs.requests) == 2


def test_what_is_published_to_a_bucket_runs_on_a_machine_that_has_only_the_bucket(
    gcs: GcsServer, make_story: Callable[..., Story], tmp_path: Path
):
    story = make_story(released)
    url = f"gs://{gcs.bucket()}/envtag"
    settings = story.path / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.envtag]\n", f'[tool.envtag]\nstore = "{url}"\n', 1))
    story.commit("Keep packages in a bucket")
    story.run("publish", **gcs.variables())
    store = open_store(url)
    assert store.read("tags/mlp/base@v1.json") is not None
    assert list(store.list("objects/"))
    gcs.requests.clear()
    other = {**gcs.variables(), "ENVTAG_HOME": str(tmp_path / "other"), "ENVTAG_MIRRORS": ""}
    ran = story.run(
        "run", "--offline", "mlp/base:v1", "--", "python", "-c", "import alpha, sys; print(sys.prefix)", **other
    )
    assert ran.out.startswith(str(tmp_path / "other"))
    assert gcs.seen("GET", "/envtag/objects/") > 0
    assert gcs.seen("POST") == 0
    story.run("publish", **gcs.variables())
    assert gcs.seen("POST", "/objects/") == 0
    assert current_platform() in store.read("tags/mlp/base@v1.json").decode()
