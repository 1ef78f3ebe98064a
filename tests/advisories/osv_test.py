from __future__ import annotations

import pytest
from packaging.version import Version

from envtag.advisories.osv import parse
from envtag.errors import FatalError


def document(*events: dict[str, str], versions: list[str] | None = None, **more):
    affected = {
        "package": {"ecosystem": "PyPI", "name": "My_Pkg"},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}, {"type": "GIT", "events": [{"introduced": "0"}]}],
        "versions": versions or [],
    }
    return {"id": "X-1", "affected": [affected], **more}


def affected(*events: dict[str, str], of: str, versions: list[str] | None = None) -> list[str]:
    [advisory] = parse(document(*events, versions=versions), "x")
    return [text for text in of.split() if advisory.affects(Version(text))]


def test_a_range_begins_and_ends_as_osv_says():
    of = "0.1 1.0 1.5 2.0rc1 2.0 2.1 3.0 3.5 4.0"
    assert affected({"introduced": "0"}, {"fixed": "1.5"}, of=of) == ["0.1", "1.0"]
    assert affected({"introduced": "1.5"}, {"last_affected": "2.0"}, of=of) == ["1.5", "2.0rc1", "2.0"]
    events = ({"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "3.0"}, {"fixed": "4.0"})
    assert affected(*events, of=of) == ["1.0", "3.0", "3.5"]
    assert affected({"introduced": "0"}, of="0.0.dev1 9") == ["0.0.dev1", "9"]
    assert affected({"introduced": "2.0"}, {"fixed": "2.0"}, of="2.0 2.1") == ["2.0", "2.1"]


def test_a_listed_version_is_affected_however_it_is_written():
    assert affected(of="1.0 1.0.0 2", versions=["1", "no-version"]) == ["1.0", "1.0.0"]


def test_what_is_fixed_is_told_in_order():
    events = ({"introduced": "0"}, {"fixed": "10.0"}, {"introduced": "11"}, {"fixed": "9.0"}, {"fixed": "odd version"})
    [advisory] = parse(document(*events, aliases=["CVE-1"], summary="bad\n news"), "x")
    assert advisory.fixes() == [Version("9.0"), Version("10.0")]
    assert (advisory.package, advisory.aliases, advisory.summary) == ("my-pkg", ("CVE-1",), "bad news")


def test_what_was_withdrawn_or_is_of_another_ecosystem_says_nothing():
    assert list(parse(document({"introduced": "0"}, withdrawn="2024-01-01T00:00:00Z"), "x")) == []
    other = {"id": "X-2", "affected": [{"package": {"ecosystem": "npm", "name": "a"}}, {}, {"package": {}}]}
    assert list(parse(other, "x")) == []


@pytest.mark.parametrize("wrong", [[], {}, {"id": 1}, "text", {"id": "X", "affected": "all"}])
def test_what_is_no_advisory_is_told(wrong):
    with pytest.raises(FatalError, match=r"^here: "):
        list(parse(wrong, "here"))
