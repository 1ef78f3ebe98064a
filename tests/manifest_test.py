from __future__ import annotations

import json
from dataclasses import replace

import pytest

from envtag.errors import FatalError
from envtag.manifest import Manifest, parse
from support.locks import NUMPY, SAMPLE


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
    lock = replace(SAMPLE, packages=(replace(NUMPY, url="https://u:p@e.org/c/linux-64/numpy-1.conda"),))
    with pytest.raises(FatalError, match="must not be stored"):
        parse(Manifest(lock=lock).to_bytes(), "m")
