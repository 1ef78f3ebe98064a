from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from envtag.errors import FatalError
from envtag.spec.model import MalformedError
from envtag.spec.python_constraint import canonical, python_constraint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.11", "==3.11.*"),
        ("3", "==3.*"),
        ("3.11.*", "==3.11.*"),
        ("==3.11.*", "==3.11.*"),
        ("3.11.7", "==3.11.7"),
        ("==3.11", "==3.11"),
        ("3.14.0rc1", "==3.14.0rc1"),
        ("3.15a1", "==3.15a1"),
        (">=3.8,<3.9", ">=3.8,<3.9"),
        ("<3.9,>=3.8", ">=3.8,<3.9"),
        (" >= 3.8 , < 3.9 ", ">=3.8,<3.9"),
        ("<3.13,!=3.11.*,>=3.10,<3.13", ">=3.10,!=3.11.*,<3.13"),
        ("~=3.10", "~=3.10"),
        ("==3.11.*,>=3.11.4", ">=3.11.4,==3.11.*"),
        (">=3.9,>=3.10", ">=3.9,>=3.10"),
        ("3.011", "==3.11.*"),
        (">3", ">3"),
    ],
)
def test_a_constraint_has_one_text(text, expected):
    assert python_constraint(text) == expected
    assert python_constraint(expected) == expected
    assert SpecifierSet(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has an empty clause"),
        ("banana", "`banana` has no version of Python in it"),
        ("3.x", "`3.x` has no version of Python in it"),
        (">=", "`>=` has no version"),
        (">=3.8,", "it has an empty clause"),
        (",>=3.8", "it has an empty clause"),
        (">=3.8 <3.9", "`>=3.8 <3.9` has no version of Python in it"),
        ("=3.11", "`=3.11` has the operator `=`"),
        ("===3.11", "has the operator `===`"),
        (">=3.11.*", "has both `>=` and `.*`"),
        ("~=3.11.*", "has both `~=` and `.*`"),
        ("~=3", "needs two numbers after `~=`"),
        ("python3.11", "has no version of Python in it"),
        ("3.11.7.1", "has no version of Python in it"),
        ("1!3.11", "has no version of Python in it"),
        ("3.11+local", "has no version of Python in it"),
        ("3.11.post1", "has no version of Python in it"),
        ("v3.11", "has no version of Python in it"),
        ("3.11|3.12", "has no version of Python in it"),
        (".*", "has no version of Python in it"),
        ("3.11.**", "has no version of Python in it"),
    ],
)
def test_nonsense_is_refused_by_its_clause_with_a_hint(text, reason):
    with pytest.raises(FatalError) as raised:
        python_constraint(text)
    assert "is not a constraint on Python" in raised.value.message
    assert reason in raised.value.message
    assert raised.value.hint


def test_requires_python_needs_an_operator():
    assert canonical(">=3.10", bare=False) == ">=3.10"
    with pytest.raises(MalformedError, match="has no operator"):
        canonical("3.10", bare=False)


@settings(max_examples=200, deadline=None, database=None)
@given(
    text=st.text(alphabet="3.10x<>=!~,* ", max_size=10) | st.text(max_size=8),
    versions=st.lists(st.sampled_from(["3.8", "3.8.1", "3.9.0", "3.10.3", "3.11.0", "3.12.7"]), max_size=3),
)
def test_random_text_is_an_error_or_a_constraint_that_packaging_reads(text, versions):
    try:
        constraint = python_constraint(text)
    except FatalError:
        return
    assert python_constraint(constraint) == constraint
    assert list(SpecifierSet(constraint).filter(versions)) is not None


@settings(max_examples=100, deadline=None, database=None)
@given(
    clauses=st.lists(
        st.tuples(st.sampled_from([">=", "<", "<=", "!=", ">"]), st.sampled_from(["3.8", "3.9", "3.10.2", "3.12"])).map(
            "".join
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_canonical_text_means_the_same_and_order_does_not_matter(clauses):
    constraint = python_constraint(",".join(clauses))
    assert constraint == python_constraint(",".join(reversed(clauses)))
    for version in ("3.7.1", "3.8.0", "3.8.9", "3.9.0", "3.10.2", "3.11.1", "3.12.0", "3.13.1"):
        assert (version in SpecifierSet(constraint)) == (version in SpecifierSet(",".join(clauses)))
