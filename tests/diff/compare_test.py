from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.diff import apply, diff
from envtag.diff.compare import source_of
from support.diffs import conda, lock, pypi


def one(before, after):
    """The only change between two locks of one package each."""
    (found,) = diff(lock(*before), lock(*after)).packages
    return found


@pytest.mark.parametrize(
    ("before", "after", "kind", "level"),
    [
        (conda("a", "1.0"), conda("a", "2.0"), "upgraded", "major"),
        (conda("a", "1.10"), conda("a", "1.9"), "downgraded", "minor"),
        (pypi("a", "1.0rc1"), pypi("a", "1.0"), "upgraded", "patch"),
        (conda("a", build="h0_0"), conda("a", build="h0_1"), "rebuilt", ""),
        (conda("a", "1.0"), conda("a", "1.0.0"), "rebuilt", ""),
        (conda("a", sha256="b" * 64), conda("a", sha256="c" * 64), "replaced", ""),
        (pypi("a", sha256="b" * 64), pypi("a", sha256="c" * 64), "replaced", ""),
        (pypi("a", sha256="b" * 64), pypi("a", extension="tar.gz", sha256="c" * 64), "rebuilt", ""),
        (conda("a", sha256="b" * 64), conda("a", channel="https://o.example.org/x", sha256="b" * 64), "moved", ""),
        (conda("a", license="MIT"), conda("a", license="BSD"), "restated", ""),
    ],
)
def test_what_happened_to_a_package(before, after, kind, level):
    found = one([before], [after])
    assert (found.kind, found.level, found.before, found.after) == (kind, level, before, after)


def test_a_file_of_another_format_is_a_rebuild():
    old = conda("a")
    found = one([old._replace(url=old.url.replace(".conda", ".tar.bz2"), sha256="c" * 64)], [old])
    assert found.kind == "rebuilt"


def test_a_package_that_changes_its_world_is_one_change():
    found = one([conda("typing_extensions", "1.0")], [pypi("typing-extensions", "2.0")])
    assert (found.kind, found.level, found.before.manager, found.after.manager) == (
        "upgraded",
        "major",
        "conda",
        "pypi",
    )


def test_one_name_in_both_worlds_is_two_packages():
    found = diff(lock(conda("a"), pypi("a")), lock(conda("a"))).packages
    assert [(item.kind, item.package.manager) for item in found] == [("removed", "pypi")]
    found = diff(lock(conda("a")), lock(conda("a"), pypi("a"))).packages
    assert [(item.kind, item.package.manager) for item in found] == [("added", "pypi")]


def test_equal_locks_have_no_difference():
    assert diff(lock(conda("a")), lock(conda("a"))).packages == ()


def test_locks_of_two_platforms_are_not_compared():
    with pytest.raises(ValueError, match="2 platforms"):
        diff(lock(), lock(platform="win-64"))
    with pytest.raises(ValueError, match="0 platforms"):
        diff(None, None)


def test_a_change_is_applied_to_its_own_lock_only():
    change = diff(lock(conda("a")), lock(conda("a", "2.0")))
    with pytest.raises(ValueError, match="another `a`"):
        apply(change, lock(conda("a", "1.5")))
    with pytest.raises(ValueError, match="another lock"):
        apply(change, lock(conda("a"), python="3.13"))


def test_the_source_of_a_package_is_its_channel_or_the_host_of_its_index():
    assert source_of(conda("a", channel="https://conda.anaconda.org/conda-forge")) == "conda-forge"
    assert source_of(conda("a")) == "https://channels.example.org/main"
    assert source_of(pypi("a")) == "files.example.org"
    assert source_of(pypi("a")._replace(url="git+https://git.example.org/x@main")) == "git+https://git.example.org"


_names = st.sampled_from(["a", "b-c", "b_c", "b.c", "d", "e"])
_versions = st.sampled_from(["1.0", "1.0.0", "1.1", "2.0rc1", "odd version"])
_packages = st.one_of(
    st.builds(
        conda, _names, _versions, build=st.sampled_from(["h0_0", "h1_1"]), license=st.sampled_from([None, "MIT"])
    ),
    st.builds(pypi, _names, _versions, extension=st.sampled_from(["whl", "tar.gz"])),
)
_locks = st.none() | st.lists(_packages, max_size=6, unique_by=lambda package: package.key).map(
    lambda packages: lock(*packages)
)


@settings(max_examples=300)
@given(_locks, _locks, st.sampled_from(["3.12", "3.13"]))
def test_the_difference_applied_to_the_older_lock_is_the_newer_one(before, after, python):
    if after is not None:
        after = after._replace(python=python)
    if before is not None or after is not None:
        assert apply(diff(before, after), before) == after
