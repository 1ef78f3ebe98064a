from __future__ import annotations

import pytest

from envtag.diff import Facts
from envtag.diff.findings import KINDS
from envtag.ledger import Ledger, Release
from support.diffs import DAY, NOW, changed, conda, content, eventful, lock, pypi


def findings(before, after, **options):
    """Kind, name, before and after of what is found between two lists of packages."""
    found = changed(content(lock(*before)), content(lock(*after)), **options).findings
    return [(item.kind, item.name, item.before, item.after) for item in found]


def test_another_hash_under_the_same_version_is_a_red_flag():
    found = changed(content(lock(conda("a", sha256="b" * 64))), content(lock(conda("a", sha256="c" * 64)))).findings
    assert [(item.kind, item.severity) for item in found] == [("hash", "red")]
    assert (found[0].before, found[0].after) == ("b" * 64, "c" * 64)


def test_another_channel_index_or_manager_is_a_red_flag():
    other = "https://other.example.org/x"
    main = "https://channels.example.org/main"
    assert findings([conda("a")], [conda("a", "2", channel=other)]) == [("channel", "a", main, other)]
    assert findings([pypi("a")], [pypi("a", "2", index=other)]) == [
        ("channel", "a", "files.example.org", "other.example.org")
    ]
    assert findings([conda("a", license=None)], [pypi("a")]) == [("manager", "a", "conda", "pypi")]


def test_the_same_version_of_another_channel_with_another_hash_is_two_red_flags():
    assert [item[0] for item in findings([conda("a")], [conda("a", channel="https://other.example.org/x")])] == [
        "hash",
        "channel",
    ]


def test_a_licence_that_changes_or_is_no_longer_stated_is_found():
    assert findings([conda("a")], [conda("a", "2", license="GPL")]) == [("license", "a", "MIT", "GPL")]
    assert findings([conda("a")], [conda("a", "2", license=None)]) == [("license", "a", "MIT", "")]


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (0, "less than a day old"),
        (DAY, "1 day old"),
        (7 * DAY - 1, "6 days old"),
        (7 * DAY, ""),
        (-1, "dated in the future"),
    ],
)
def test_what_was_published_less_than_some_days_ago_is_found(age, told):
    found = findings([conda("a")], [conda("a", "2", timestamp=NOW - age)])
    assert found == ([("recent", "a 2", "", told)] if told else [])


def test_what_did_not_come_in_is_not_recent():
    assert findings([conda("a", timestamp=NOW)], [conda("a", timestamp=NOW, license="MIT OR BSD")]) == [
        ("license", "a", "MIT", "MIT OR BSD")
    ]


def test_a_downgrade_and_a_new_direct_dependency_are_found():
    assert findings([conda("a", "2.0")], [conda("a", "1.0")]) == [("downgrade", "a", "2.0", "1.0")]
    found = changed(content(lock()), content(lock(conda("a"), conda("b")), direct=["a"])).findings
    assert [(item.kind, item.name) for item in found] == [("direct", "a")]


def test_a_source_archive_in_place_of_a_wheel_is_found():
    assert findings([pypi("a")], [pypi("a", "2", extension="tar.gz")]) == [
        ("source", "a 2", "a-1.0-py3-none-any.whl", "a-2.tar.gz")
    ]
    assert findings([pypi("a", extension="tar.gz")], [pypi("a", "2", extension="tar.gz")]) == []


def test_scripts_are_found_only_where_they_are_new():
    old, new = conda("a"), conda("a", "2")
    runs = Facts(activation=("etc/conda/activate.d/a.sh",), hooks=("bin/.a-post-link.sh",))
    told = "bin/.a-post-link.sh, etc/conda/activate.d/a.sh"
    assert findings([old], [new], facts={new.sha256: runs}) == [("scripts", "a 2", "", told)]
    assert findings([old], [new], facts={old.sha256: runs, new.sha256: runs}) == []
    assert findings([old], [new], facts={new.sha256: Facts()}) == []


def test_archives_that_nobody_looked_into_are_counted():
    known, other = conda("a", "2"), conda("b", "2")
    found = changed(content(lock(conda("a"), conda("b"))), content(lock(known, other)), facts={known.sha256: Facts()})
    assert (found.looked_into, found.unread) == (1, 1)


def test_a_virtual_package_is_found_where_it_or_its_bound_is_new():
    before = [conda("a", depends=("__glibc >=2.17",))]
    after = [conda("a", depends=("__glibc >=2.28", "__cuda")), conda("b", depends=("__cuda",))]
    assert findings(before, after) == [("virtual", "__cuda", "", "a"), ("virtual", "__glibc >=2.28", "", "a")]
    assert findings(after, [*after, conda("c", depends=("__cuda",))]) == []


def test_a_new_environment_has_nothing_newly_direct_and_no_new_virtual_package():
    found = changed(None, content(lock(conda("a", depends=("__cuda",))), direct=["a"]))
    assert found.findings == ()
    assert found.state == "added"


def test_a_release_that_is_taken_back_or_changed_is_a_red_flag():
    one = Release(tag="v1", request="a" * 40, locks={"linux-64": "b" * 40})
    two = one._replace(tag="v2")
    before = content(ledger=Ledger(releases=(one, two)))
    after = content(ledger=Ledger(releases=(one._replace(locks={"linux-64": "c" * 40}),)))
    found = changed(before, after).findings
    assert [(item.kind, item.severity, item.name, item.after) for item in found] == [
        ("ledger", "red", "v1", "released with other content"),
        ("ledger", "red", "v2", "no longer in the ledger"),
    ]


def test_findings_are_ordered_by_importance_and_merged_over_platforms():
    (item,) = eventful().environments
    kinds = [finding.kind for finding in item.findings]
    assert kinds == sorted(kinds, key=list(KINDS).index)
    assert set(kinds) == set(KINDS) - {"ledger"}
    assert {finding.platforms for finding in item.findings} == {("linux-64", "osx-arm64")}
