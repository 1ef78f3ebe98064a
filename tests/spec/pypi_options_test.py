from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.request import Origin, PypiOptions, PypiRequirement
from envtag.spec.model import Placed
from envtag.spec.pypi_options import check_hashes, check_no_index, pypi_options

HERE = Origin(file="r.txt", line=3)
DIGEST = ("sha256:" + 64 * "a",)


def placed(*items):
    return [(name, Placed(value=value, origin=HERE)) for name, value in items]


def asked(text, *, hashes=(), constraint=False):
    name = text.partition("=")[0].partition(" ")[0].rstrip("<>")
    return PypiRequirement(name=name, text=text, hashes=hashes, constraint=constraint, origin=HERE)


def test_nothing_given_is_the_default():
    assert pypi_options([]) == PypiOptions()


@pytest.mark.parametrize(
    ("given", "only", "no"),
    [
        ([("only-binary", ":all:"), ("no-binary", "a,b")], (":all:",), ("a", "b")),
        ([("no-binary", "a,b"), ("only-binary", "a")], ("a",), ("b",)),
        ([("no-binary", "a"), ("only-binary", ":all:")], (":all:",), ()),
        ([("only-binary", "a,b"), ("only-binary", ":none:,c")], ("c",), ()),
    ],
)
def test_what_comes_later_decides_about_a_name(given, only, no):
    found = pypi_options(placed(*given))
    assert (found.only_binary, found.no_binary) == (only, no)


def test_pages_of_links_and_switches_are_merged():
    given = placed(("find-links", "https://a.example/"), ("pre", ""), ("find-links", "https://a.example/"))
    assert pypi_options(given) == PypiOptions(find_links=("https://a.example/",), prereleases=True)


def test_an_index_beside_no_index_names_both_places():
    given = placed(("no-index", ""))
    index = Placed(value="https://h.example/s", origin=Origin(file="b.txt", line=9))
    with pytest.raises(FatalError, match=r"b.txt:9: `https://h.example/s`: .* r.txt:3 says `--no-index`"):
        check_no_index(pypi_options(given), given, [index])
    check_no_index(pypi_options(given), given, [])


def test_hashes_for_all_or_for_none():
    check_hashes([asked("a>=1"), asked("b")], PypiOptions())
    check_hashes([asked("a==1", hashes=DIGEST), asked("b @ https://h.example/b.whl", hashes=DIGEST)], PypiOptions())
    check_hashes([asked("a"), asked("a==1", hashes=DIGEST, constraint=True)], PypiOptions())


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        ([asked("a==1", hashes=DIGEST), asked("b==1")], "`b==1`: it has no hash, and others have"),
        ([asked("a>=1", hashes=DIGEST)], "`a>=1`: it has hashes and leaves its version open"),
        ([asked("a==1.*", hashes=DIGEST)], "leaves its version open"),
        ([asked("a @ git+https://h.example/a", hashes=DIGEST)], "a commit is held by its own id"),
    ],
)
def test_a_requirement_that_breaks_the_rule_is_named(requirements, reason):
    with pytest.raises(FatalError) as raised:
        check_hashes(requirements, PypiOptions())
    assert raised.value.message.startswith("r.txt:3: ")
    assert reason in raised.value.message


def test_hashes_may_be_required_where_none_is_stated():
    with pytest.raises(FatalError, match="it has no hash"):
        check_hashes([asked("a==1")], PypiOptions(require_hashes=True))
