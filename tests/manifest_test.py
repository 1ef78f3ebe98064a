from __future__ import annotations

import json

import pytest

from envtag.errors import FatalError
from envtag.manifest import Build, Manifest, parse
from support.locks import FLASK, NUMPY, SAMPLE


def test_a_manifest_is_read_as_it_was_written():
    manifest = Manifest(lock=SAMPLE, python_seen="3.11.7")
    read = parse(manifest.to_bytes(), "m")
    assert read.python_seen == "3.11.7"
    assert read.lock.packages == SAMPLE.packages
    assert read.lock.id == SAMPLE.id
    assert read.to_bytes() == manifest.to_bytes()


def test_its_digest_is_golden():
    assert (
        Manifest(lock=SAMPLE, python_seen="3.11.7").digest
        == "afdf76c4698780715f02079ee1e581114b98ac00d4842248d97ecf0879417b12"
    )


def test_one_changed_hash_is_noticed():
    data = Manifest(lock=SAMPLE).to_bytes().replace(NUMPY.sha256.encode(), b"0" * 64)
    with pytest.raises(FatalError, match="its packages have lock id"):
        parse(data, "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(version=2), "not a manifest of version 1"),
        (lambda document: document.pop("packages"), "without a proper 'packages'"),
        (lambda document: document.update(interpreter=7), "without a proper"),
        (lambda document: document["packages"][0].update(sha256="x"), "has no sha256"),
    ],
)
def test_a_damaged_manifest_is_refused(change, message):
    document = json.loads(Manifest(lock=SAMPLE).to_bytes())
    change(document)
    with pytest.raises(FatalError, match=message):
        parse(json.dumps(document).encode(), "m")


def test_what_is_not_json_is_refused():
    with pytest.raises(FatalError, match=r"^m: not JSON"):
        parse(b"{", "m")


def test_a_manifest_with_a_credential_is_refused():
    lock = SAMPLE._replace(packages=(NUMPY._replace(url="https://u:p@e.org/c/linux-64/numpy-1.conda"),))
    with pytest.raises(FatalError, match="must not be stored"):
        parse(Manifest(lock=lock).to_bytes(), "m")


SDIST = FLASK._replace(name="delta", version="1.0", url="https://files.example.org/delta-1.0.tar.gz", sha256="d" * 64)
WHEEL = Build(sha256="e" * 64, filename="delta-1.0+x-py3-none-any.whl", size=9)
WITH_SOURCE = SAMPLE._replace(packages=(*SAMPLE.packages, SDIST))
BUILT = Manifest(lock=WITH_SOURCE, builds={SDIST.sha256: WHEEL})


def test_builds_are_read_as_they_were_written_and_are_no_part_of_the_lock():
    read = parse(BUILT.to_bytes(), "m")
    assert read.builds == {SDIST.sha256: WHEEL}
    assert read.lock.id == WITH_SOURCE.id
    assert read.to_bytes() == BUILT.to_bytes()


def test_a_digest_with_builds_is_golden_too():
    assert BUILT.digest == "66d50e2cdce6029d634688eb4bc4e05db369c3af7c6dd5a22770d6052609d568"


def test_archives_are_the_packages_with_wheels_in_place_of_built_sources():
    *others, delta = BUILT.archives()
    assert tuple(others) == SAMPLE.packages
    assert (delta.key, delta.version) == (SDIST.key, SDIST.version)
    assert (delta.sha256, delta.filename, delta.extension, delta.size) == (WHEEL.sha256, WHEEL.filename, "whl", 9)
    assert not delta.is_source
    assert Manifest(lock=WITH_SOURCE).archives() == WITH_SOURCE.packages


@pytest.mark.parametrize(
    ("builds", "message"),
    [
        ({"f" * 64: WHEEL.document()}, "a build of ffffffffffff, which is no source of its lock"),
        ({FLASK.sha256: WHEEL.document()}, "which is no source of its lock"),
        ({SDIST.sha256: {**WHEEL.document(), "url": "x"}}, "has not exactly"),
        ({SDIST.sha256: {**WHEEL.document(), "filename": "a/../b.whl"}}, "not named like a wheel"),
        ([1], "without a proper"),
    ],
)
def test_damaged_builds_are_refused(builds, message):
    document = json.loads(BUILT.to_bytes())
    document["builds"] = builds
    with pytest.raises(FatalError, match=message):
        parse(json.dumps(document).encode(), "m")
