from __future__ import annotations

import pytest

from envtag.request import Origin
from envtag.spec.model import MalformedError
from envtag.spec.pip_options import format_names, read_options, sha256_hashes, split_requirement
from support.attempt import attempt

HERE = Origin(file="r.txt", line=1)


def test_every_option_of_pips_format_is_known():
    """All that pip's own parser of requirements files takes is honoured, or refused for a reason of its own."""
    options = pytest.importorskip("pip._internal.req.req_file")
    everywhere = [*options.SUPPORTED_OPTIONS, *options.SUPPORTED_OPTIONS_REQ]
    spellings = [text for make in everywhere for text in (*make()._short_opts, *make()._long_opts)]
    assert len(spellings) > 20
    for spelling in spellings:
        _, error = attempt(lambda flag=spelling: list(read_options(HERE, f"{flag} value")))
        assert error is None or "not an option of a requirements file" not in error.message


def test_a_requirement_is_split_from_its_hashes():
    assert split_requirement(HERE, "a==1 --hash=sha256:0 --hash sha256:1") == ("a==1", ("sha256:0", "sha256:1"))
    assert split_requirement(HERE, "a == 1") == ("a == 1", ())


def test_only_hashes_that_a_lock_can_be_held_to_are_left():
    first, second = "sha256:" + 64 * "a", "sha256:" + 64 * "0"
    assert sha256_hashes((first, "sha512:" + 128 * "a", second.upper().replace("SHA", "sha"))) == (second, first)
    assert sha256_hashes(()) == ()


def test_format_names_are_normalized():
    assert format_names("A_b, :all:,c.d") == ("a-b", ":all:", "c-d")
    with pytest.raises(MalformedError, match="is not a package"):
        format_names("a b")
