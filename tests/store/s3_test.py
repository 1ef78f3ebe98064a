from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.platforms import current_platform
from envtag.store import Store, open_store
from envtag.store.s3 import S3Store, open_url
from support.s3 import ACCESS_KEY, SECRET_KEY, Fault, S3Server
from support.story import Story, released

DATA = bytes(range(256)) * 16 * 1024
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = f"objects/sha256/{SHA256[:2]}/{SHA256}.conda"
POINTER = "pointers/a@stable.json"


@pytest.fixture
def store(s3: S3Server) -> Store:
    return open_store(f"s3://{s3.bucket()}/some/prefix")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)


@pytest.mark.parametrize(
    ("url", "bucket", "prefix", "shown"),
    [
        ("s3://bucket", "bucket", "", "s3://bucket"),
        ("s3://bucket/", "bucket", "", "s3://bucket"),
        ("s3://my.bucket_1/a/b//", "my.bucket_1", "a/b", "s3://my.bucket_1/a/b"),
    ],
)
def test_a_url_names_bucket_and_prefix(url: str, bucket: str, prefix: str, shown: str):
    store = open_url(url)
    assert (store.bucket, store.prefix, store.url) == (bucket, prefix, shown)


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///prefix", "s3://key:hunter2@bucket/x", "s3://key@bucket", "s3://bucket:80/x",
        "s3://bucket/a//b", "s3://bucket/../x", "s3://bucket/a?hunter2=1", "s3://bucket/a?X-Amz-Signature=hunter2",
        "s3://bucket/a#b", "s3://bucket?versionId=hunter2", "s3://buck et/x", "s3://bucket/a\\b",
    ],
)  # fmt: skip
def test_a_url_that_names_no_store_is_refused_without_showing_a_secret(url: str):
    with pytest.raises(FatalError) as error:
        open_store(url)
    assert "hunter2" not in f"{error.value.message}{error.value.hint}"


def test_opening_asks_nothing_and_the_prefix_keeps_stores_apart(s3: S3Server):
    bucket = s3.bucket()
    s3.requests.clear()
    one, other, whole = (open_store(f"s3://{bucket}{prefix}") for prefix in ("/a", "/a/b", ""))
    assert s3.requests == []
    one.swap("tags/x@v1.json", b"1", None)
    assert other.read("tags/x@v1.json") is None
    assert [entry.key for entry in whole.list("")] == ["a/tags/x@v1.json"]
    assert whole.read("a/tags/x@v1.json") == b"1"


def test_marks_of_directories_are_not_listed(s3: S3Server):
    bucket, client = s3.bucket(), s3.client()
    client.put_object(Bucket=bucket, Key="a/tags/", Body=b"")
    client.put_object(Bucket=bucket, Key="a/tags/x", Body=b"1")
    assert [entry.key for entry in open_store(f"s3://{bucket}/a").list("tags/")] == ["tags/x"]


def test_the_server_checks_the_hash_of_what_it_gets(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = tmp_path / "source"
    source.write_bytes(b"changed after it was hashed")
    monkeypatch.setattr("envtag.store.s3_puts._compare", lambda **_: None)
    store = open_store(f"s3://{s3.bucket()}")
    with pytest.raises(FatalError, match="other bytes arrived there than were to be sent"):
        store.create(KEY, source, SHA256)
    assert store.read(KEY) is None


@pytest.mark.parametrize("fault", [Fault(method="", status=503, code="SlowDown"), Fault(method=""), "cut"])
def test_one_failure_on_any_kind_of_request_is_survived(s3: S3Server, store: Store, tmp_path: Path, fault):
    cut = fault == "cut"
    for method in ("GET",) if cut else ("PUT", "GET", "HEAD", "DELETE"):
        status, code = (0, "") if cut else (fault.status, fault.code)
        s3.faults.append(Fault(method=method, contains="some/prefix", status=status, code=code, cut=cut))
    s3.faults += [Fault(method="GET", contains="list-type", status=503, code="SlowDown")] if not cut else []
    assert store.create(KEY, DATA, SHA256)
    assert store.size(KEY) == len(DATA)
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "target", SHA256, blocks.append)
    assert sum(blocks) == len(DATA)
    assert [entry.size for entry in store.list("objects/")] == [len(DATA)]
    store.delete(KEY)
    assert store.read(KEY) is None
    assert [fault.times for fault in s3.faults] == [0] * len(s3.faults)


def test_a_failure_that_stays_is_told_after_a_few_attempts_and_leaves_no_file(s3: S3Server, store: Store, tmp_path):
    store.create(KEY, DATA, SHA256)
    s3.requests.clear()
    s3.faults = [Fault(method="GET", status=503, code="SlowDown", times=99)]
    target = tmp_path / "targets" / "target"
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY}` in {store.url}: .*SlowDown"):
        store.download(KEY, target, SHA256)
    assert s3.seen("GET") == 5
    s3.faults = [Fault(method="GET", cut=True, times=99)]
    with pytest.raises(UnreachableError, match=f"cannot read `{KEY}` in {store.url}: .*the connection broke"):
        store.download(KEY, target, SHA256)
    assert list(target.parent.iterdir()) == []


def test_a_download_that_broke_off_is_taken_up_where_it_broke(s3: S3Server, store: Store, tmp_path: Path):
    store.create(KEY, DATA, SHA256)
    s3.faults = [Fault(method="GET", cut=True, times=2)]
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "target", SHA256, blocks.append)
    assert (tmp_path / "target").read_bytes() == DATA
    assert sum(blocks) == len(DATA)
    assert s3.seen("GET") == 3


def test_an_object_that_is_replaced_during_its_download_is_never_a_mixture(s3: S3Server, tmp_path: Path):
    bucket, client = s3.bucket(), s3.client()
    store = S3Store(bucket=bucket, prefix="")
    store.create(KEY, DATA, SHA256)
    s3.faults = [Fault(method="GET", cut=True)]

    def replace(_: int) -> None:
        client.put_object(Bucket=bucket, Key=KEY, Body=DATA[::-1])

    with pytest.raises(FatalError, match=f"`{KEY}` in s3://{bucket} was replaced while it was being read"):
        store.download(KEY, tmp_path / "targets" / "target", SHA256, replace)
    assert list((tmp_path / "targets").iterdir()) == []


def test_a_refused_condition_is_not_asked_again(s3: S3Server, store: Store):
    store.swap(POINTER, b"1", None)
    s3.requests.clear()
    assert not store.swap(POINTER, b"2", None)
    assert not store.swap(POINTER, b"2", '"bogus"')
    assert s3.seen("PUT") == 2


def test_a_writer_whose_answer_was_lost_knows_its_own_work(s3: S3Server, store: Store):
    s3.faults = [Fault(method="PUT", done=True)]
    assert store.create(KEY, DATA, SHA256)
    s3.faults = [Fault(method="PUT", done=True)]
    assert store.swap(POINTER, b"1", None)
    found = store.read_versioned(POINTER)
    assert found is not None
    s3.faults = [Fault(method="PUT", done=True)]
    assert store.swap(POINTER, b"2", found[1])
    assert store.read(POINTER) == b"2"


def test_a_writer_whose_first_request_was_lost_does_not_take_anothers_work_for_its_own(s3: S3Server, store: Store):
    store.swap(POINTER, b"1", None)
    s3.faults = [Fault(method="PUT")]
    assert not store.swap(POINTER, b"1", None)


def test_a_conflict_is_asked_again_a_bounded_number_of_times(s3: S3Server, store: Store):
    conflict = {"method": "PUT", "status": 409, "code": "ConditionalRequestConflict"}
    s3.faults = [Fault(**conflict, times=2)]
    assert store.create(KEY, DATA, SHA256)
    s3.faults = [Fault(**conflict, times=1)]
    assert store.swap(POINTER, b"1", None)
    s3.faults = [Fault(**conflict, times=99)]
    for call in (lambda: store.swap("tags/a@v1.json", b"1", None), lambda: store.create("tags/b", DATA, SHA256)):
        with pytest.raises(FatalError, match="is being written by others again and again"):
            call()


def test_what_is_published_to_a_bucket_runs_on_a_machine_that_has_only_the_bucket(
    s3: S3Server, make_story: Callable[..., Story], tmp_path: Path
):
    story = make_story(released)
    url = f"s3://{s3.bucket()}/envtag"
    settings = story.path / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.envtag]\n", f'[tool.envtag]\nstore = "{url}"\n', 1))
    story.commit("Keep packages in a bucket")
    published = story.run("publish", **s3.variables())
    store = open_store(url)
    assert store.read("tags/mlp/base@v1.json") is not None
    packages = list(store.list("objects/"))
    assert packages
    s3.requests.clear()
    other = {**s3.variables(), "ENVTAG_HOME": str(tmp_path / "other"), "ENVTAG_MIRRORS": ""}
    ran = story.run(
        "run", "--offline", "mlp/base:v1", "--", "python", "-c", "import alpha, sys; print(sys.prefix)", **other
    )
    assert ran.out.startswith(str(tmp_path / "other"))
    assert s3.seen("GET", "/envtag/objects/") > 0
    assert s3.seen("PUT") == 0
    again = story.run("publish", **s3.variables())
    assert s3.seen("PUT", "/objects/") == 0
    for told in (published, ran, again):
        assert SECRET_KEY not in told.out + told.err
        assert ACCESS_KEY not in told.out + told.err
    assert current_platform() in store.read("tags/mlp/base@v1.json").decode()
