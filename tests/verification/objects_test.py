from __future__ import annotations

from envtag.errors import UnreachableError
from envtag.store import keys
from support.s3 import S3Server

NAME = "mlp/tz"


def test_an_object_that_is_gone_breaks_every_release_that_needs_it(published):
    first, second = published.keys(keys.OBJECTS)
    users = {}
    for key in (first, second):
        path = published.root / key
        aside = path.rename(path.with_suffix(".aside"))
        found = published.verify()
        assert {(item["link"], item["found"]) for item in found} == {("object", "none")}
        assert all(key in item["subject"] for item in found)
        users[key] = {item["alias"] for item in found}
        aside.rename(path)
    wanted = [{f"{NAME}:v1", f"{NAME}:stable"}, {f"{NAME}:{tag}" for tag in ("v1", "v2", "stable", "latest")}]
    assert sorted(users.values(), key=len) == wanted


def test_an_object_that_was_cut_short_and_one_with_other_bytes(published):
    key = published.keys(keys.OBJECTS)[0]
    path = published.root / key
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    found = published.verify(f"{NAME}:v1")[0]
    assert (found["expected"], found["found"]) == (f"{len(data)} bytes", f"{len(data) - 1} bytes")
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert published.verify() == []
    found = published.verify(f"{NAME}:v1", "--deep")[0]
    assert found["expected"] == f"sha256 {path.name.partition('.')[0]}"
    assert len(found["found"]) == 64
    assert "`envtag publish --repair` brings back" in found["hint"]
    for name in (key, *published.keys(keys.MANIFESTS)):
        (published.root / name).unlink()
    published.story.call("publish")
    assert published.verify("--all", "--deep") == []


def test_a_manifest_that_is_gone_edited_or_of_another_lock(published):
    for key in published.keys(keys.MANIFESTS):
        path = published.root / key
        data = path.read_bytes()
        path.write_bytes(data.replace(b"tzish", b"tzoid"))
        (found, *_) = published.verify()
        assert (found["link"], found["subject"]) == ("manifest", key)
        assert found["expected"].startswith("sha256 ")
        path.unlink()
        assert {item["found"] for item in published.verify()} == {"none"}
        path.write_bytes(data)
    assert published.verify("--all", "--deep") == []


def test_each_object_is_looked_for_once(published, monkeypatch):
    from envtag.store.local import LocalStore

    asked = []
    real = LocalStore.size
    monkeypatch.setattr(LocalStore, "size", lambda self, key: (asked.append(key), real(self, key))[1])
    assert published.verify() == []
    assert sorted(asked) == published.keys(keys.OBJECTS)


def test_in_a_bucket_too(published, s3: S3Server, monkeypatch):
    bucket, client = s3.bucket(), s3.client()
    monkeypatch.setenv("ENVTAG_STORE", f"s3://{bucket}/x")
    published.story.call("publish")
    told = published.story.call("verify", "--all", "--deep")
    assert "every link holds" in told.err
    names = [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix="x/objects/")["Contents"]]
    data = client.get_object(Bucket=bucket, Key=names[0])["Body"].read()
    other = bytes([data[0] ^ 1]) + data[1:]
    client.put_object(Bucket=bucket, Key=names[0], Body=other)
    client.delete_object(Bucket=bucket, Key=names[1])
    found = {item["found"] for item in published.verify("--all", "--deep")}
    from envtag.util.canonical import sha256_hex

    assert found == {sha256_hex(other), "none"}


def test_a_store_that_cannot_be_reached_is_no_broken_link(published, monkeypatch):
    from envtag.store.local import LocalStore

    def away(*_: object) -> None:
        raise UnreachableError("the store is away")

    monkeypatch.setattr(LocalStore, "local_path", lambda *_: None)
    monkeypatch.setattr(LocalStore, "download", away)
    told = published.story.call("verify", "--all", "--deep", check=1)
    assert (told.out, told.err) == ("", "error: the store is away\n")
