from __future__ import annotations

import pytest

from metaflow_extensions.envtag.plugins.envtag_env.identity import (
    VARIABLE,
    Identity,
    current,
    decode,
    encode,
    recorded,
)

FOUND = Identity(id="a:b", platform="linux-64", alias="team/x:v1", commit="c", request='{"name": "team/x:v1"}')


def test_encode_and_decode_are_inverses():
    assert decode(encode(FOUND)) == FOUND
    assert decode(encode(None)) is None


def test_what_a_later_version_adds_is_left_out():
    assert decode('{"id": "a:b", "new": "x"}') == Identity(id="a:b")


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_what_is_malformed_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        decode(text)


def test_the_current_identity_is_the_variables():
    assert current({}) is None
    assert current({VARIABLE: ""}) is None
    assert current({VARIABLE: encode(FOUND)}) == FOUND


def test_what_is_empty_is_not_recorded():
    assert recorded(Identity(id="a:b", platform="linux-64")) == {"envtag_id": "a:b", "envtag_platform": "linux-64"}
    assert recorded(FOUND) == {
        "envtag_id": "a:b",
        "envtag_alias": "team/x:v1",
        "envtag_commit": "c",
        "envtag_platform": "linux-64",
        "envtag_request": '{"name": "team/x:v1"}',
    }
