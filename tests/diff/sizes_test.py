from __future__ import annotations

from envtag.diff import Facts, diff
from envtag.diff.sizes import TOP, download, installed
from support.diffs import conda, lock


def test_a_download_is_weighed_before_and_after():
    before, after = lock(conda("a", size=10), conda("b", size=5)), lock(conda("a", size=10), conda("c", size=30))
    found = download(diff(before, after), before, after)
    assert (found.before, found.after, found.delta, found.unknown) == (15, 40, 25, 0)
    assert found.top == (("c", 30), ("b", -5))


def test_an_unknown_size_is_counted_and_never_zero():
    before, after = lock(conda("a", size=10)), lock(conda("a", "2", size=None))
    found = download(diff(before, after), before, after)
    assert (found.unknown, found.top) == (1, ())


def test_only_the_heaviest_are_named():
    before, after = lock(), lock(*(conda(f"p{number}", size=number + 1) for number in range(9)))
    found = download(diff(before, after), before, after)
    assert [name for name, _ in found.top] == [f"p{number}" for number in range(8, 8 - TOP, -1)]


def test_what_is_installed_counts_where_both_sides_are_known():
    old, new, other = conda("a"), conda("a", "2"), conda("b")
    change = diff(lock(old), lock(new, other))
    found = installed(change, {old.sha256: Facts(installed=100), new.sha256: Facts(installed=150)})
    assert (found.before, found.after, found.delta, found.unknown) == (100, 150, 50, 1)
    assert installed(change, {new.sha256: Facts(installed=150)}).unknown == 2
    assert installed(change, {other.sha256: Facts()}).unknown == 2
