from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.request import Origin
from envtag.spec.model import SIZE_LIMIT, MalformedError, SpecFile, decode, kind_of, located, refused


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("req_numpy.txt", "requirements"),
        ("requirements.in", "requirements"),
        ("sub/dir/Requirements.TXT", "requirements"),
        ("environment.yml", "environment"),
        ("env_numpy.yaml", "environment"),
        ("dir\\env.yml", "environment"),
        ("pyproject.toml", "pyproject"),
        ("pyproject-gpu.toml", "pyproject"),
    ],
)
def test_a_files_name_says_its_kind(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize("name", ["setup.py", "poetry.lock", "other.toml", "txt", "", "env.json"])
def test_other_files_are_no_specs(name):
    with pytest.raises(FatalError, match="is not a spec that envtag reads"):
        kind_of(name)


def test_text_is_utf_8_with_or_without_a_byte_order_mark():
    assert decode(SpecFile(name="a.txt", data="é".encode())) == "é"
    assert decode(SpecFile(name="a.txt", data=b"\xef\xbb\xbfa")) == "a"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\n\xff", "a.txt:2: not UTF-8 text"),
        (b"a\n\nb\0", "a.txt:3: not text: it has a NUL character"),
        (b"#" * (SIZE_LIMIT + 1), f"a.txt: {SIZE_LIMIT + 1} bytes are too many"),
    ],
)
def test_what_is_no_text_is_refused(data, message):
    with pytest.raises(FatalError, match=message):
        decode(SpecFile(name="a.txt", data=data))


def test_errors_of_a_block_get_their_place():
    origin = Origin(file="a.txt", line=3)
    with pytest.raises(FatalError) as raised, located(origin, "x\ny"):
        raise MalformedError("it is bad", "make it good")
    assert (raised.value.message, raised.value.hint) == ("a.txt:3: `x\\ny`: it is bad", "make it good")
    with pytest.raises(FatalError) as raised, located(origin, "x"):
        raise FatalError("`x` is bad", "make it good", "more")
    assert (raised.value.message, raised.value.hint, raised.value.detail) == (
        "a.txt:3: `x` is bad",
        "make it good",
        "more",
    )
    assert refused(Origin(file="--channel"), "x", "it is bad").message == "--channel: `x`: it is bad"
