from __future__ import annotations

import json
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.record import TagRecord
from envtag.util.canonical import canonical_json

A, B, M = "a" * 40, "0b" * 20, "c" * 64
RECORD = TagRecord(
    name="mlp/base",
    tag="v5",
    request=A,
    locks={"osx-arm64": A, "linux-64": B},
    manifests={"linux-64": M, "osx-arm64": M},
)


def test_the_message_is_a_subject_and_one_line_of_canonical_json():
    assert RECORD.message() == (
        "mlp/base:v5\n\n"
        f'{{"locks":{{"linux-64":"{B}","osx-arm64":"{A}"}},"manifests":{{"linux-64":"{M}","osx-arm64":"{M}"}},'
        f'"name":"mlp/base","request":"{A}","tag":"v5","version":1}}\n'
    )


def test_parse_is_the_inverse_of_message():
    assert TagRecord.parse(RECORD.message(), "t") == RECORD


def test_git_may_take_or_add_newlines_and_a_signature():
    message = RECORD.message()
    signed = message + "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    for text in (message.rstrip("\n"), message + "\n", signed):
        assert TagRecord.parse(text, "t") == RECORD


def test_the_digest_is_of_the_content_and_not_of_its_order():
    same = TagRecord(
        name="mlp/base", tag="v5", request=A, locks=dict(sorted(RECORD.locks.items())), manifests=RECORD.manifests
    )
    assert same.digest == RECORD.digest
    assert RECORD.digest == "sha256:856f13fa1ba05247bce7a82d805e1d0af13b7b045efff9457b22359e525ad200"
    other = TagRecord(name="mlp/base", tag="v6", request=A, locks=RECORD.locks, manifests=RECORD.manifests)
    assert other.digest != RECORD.digest


def _message(**changes: Any) -> str:
    document = json.loads(RECORD.message().split("\n")[2])
    document.update(changes)
    kept = {key: value for key, value in document.items() if value is not None}
    return f"mlp/base:v5\n\n{canonical_json(kept).decode()}\n"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "holds no record"),
        ("a release\n", "holds no record"),
        (RECORD.message() + "more\n", "holds no record"),
        ("mlp/base:v5\n\n{nothing\n", "not JSON"),
        (_message(version=2, name=5), "record version `2`"),
        (_message(version=None), "record version `None`"),
        (_message(extra="x"), "unknown key `extra`"),
        (_message(request=None), "lacks the key `request`"),
        (_message(request="a" * 39), "`request` of its record is malformed"),
        (_message(name=["x"]), "`name` of its record is malformed"),
        (_message(name="Mlp"), "upper-case"),
        (_message(tag="latest"), "mutable"),
        (_message(locks={}), "`locks` of its record is not a table"),
        (_message(locks={"linux-64": A}), "osx-arm64 in only one"),
        (_message(locks={"linux-64": A, "bsd-64": B}), "`bsd-64` is not a platform"),
        (_message(manifests={"linux-64": A, "osx-arm64": M}), "`manifests` for linux-64"),
        (_message(tag="v6"), "not the canonical text"),
        (RECORD.message().replace('","tag"', '", "tag"'), "not the canonical text"),
        (RECORD.message().replace("mlp/base:v5\n", "mlp/base:v4\n"), "not the canonical text"),
    ],
)
def test_what_is_no_record_is_refused(message: str, said: str):
    with pytest.raises(FatalError) as caught:
        TagRecord.parse(message, "refs/tags/mlp/base@v5")
    assert said in caught.value.message
