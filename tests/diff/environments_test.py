from __future__ import annotations

from envtag.diff import compare, registry_settings
from envtag.ledger import Ledger, Release
from envtag.settings import EnvironmentSettings
from support.diffs import NOW, changed, conda, content, lock

SETTINGS = EnvironmentSettings(spec=("environment.yml",), platforms=("linux-64",))


def told(settings):
    """Settings as plain values."""
    return [(item.key, item.before, item.after) for item in settings]


def test_equal_sides_are_no_change():
    side = content(lock(conda("a")), settings=SETTINGS)
    assert compare(side, side, facts={}, now=NOW, recent_days=7) is None


def test_the_request_id_alone_is_no_change():
    sides = [content(lock(conda("a"), request=digit * 40)) for digit in "ab"]
    assert compare(*sides, facts={}, now=NOW, recent_days=7) is None


def test_what_a_lock_was_made_for_is_a_change():
    locks = [lock(conda("a"), platform=name) for name in ("linux-64", "win-64")]
    newer = locks[0]._replace(virtual_packages={"__cuda": "12"}, python="3.13")
    found = changed(content(*locks), content(newer, locks[1]._replace(python="3.13")))
    assert told(found.settings) == [
        ("locked python", "3.12", "3.13"),
        ("locked virtual package __cuda on linux-64", "", "12"),
    ]
    assert (found.rows, found.platforms) == ((), ())


def test_another_content_of_the_base_is_a_change():
    sides = [content(lock(conda("a"), base="ml/base:latest", base_lock=digit * 40)) for digit in "bc"]
    assert told(changed(*sides).settings) == [
        ("locked base", f"ml/base:latest {'b' * 12}", f"ml/base:latest {'c' * 12}")
    ]


def test_settings_are_compared_key_by_key():
    after = EnvironmentSettings(
        spec=("environment.yml",),
        platforms=("linux-64", "win-64"),
        channels=("conda-forge", "other"),
        base="ml/base:v1",
        exclude_newer="2026-01-01T00:00:00Z",
        virtual_packages={"linux-64": {"__cuda": "12.0", "__glibc": ""}},
    )
    found = changed(content(settings=SETTINGS), content(settings=after))
    assert told(found.settings) == [
        ("base", "", "ml/base:v1"),
        ("channels", "", "conda-forge, other"),
        ("exclude-newer", "", "2026-01-01T00:00:00Z"),
        ("platforms", "linux-64", "linux-64, win-64"),
        ("virtual-packages.linux-64.__cuda", "", "12.0"),
        ("virtual-packages.linux-64.__glibc", "", "none"),
    ]


def test_requirements_releases_and_pointers_are_compared():
    one = Release(tag="v1", request="a" * 40, locks={"linux-64": "b" * 40})
    two = Release(tag="v2", request="a" * 40, locks={"linux-64": "c" * 40})
    before = content(ledger=Ledger(releases=(one,), pointers={"stable": "v1"}), texts={"conda a": "a", "conda b": "b"})
    after = content(ledger=Ledger(releases=(one, two), pointers={"stable": "v2"}), texts={"conda a": "a >=2"})
    found = changed(before, after)
    assert told(found.requirements) == [("conda a", "a", "a >=2"), ("conda b", "b", "")]
    assert told(found.ledger) == [("pointer stable", "v1", "v2"), ("release v2", "", f"linux-64 {'c' * 12}")]
    assert found.findings == ()


def test_new_and_removed_environments_have_all_their_packages():
    side = content(lock(conda("a")), settings=SETTINGS)
    assert [row.kind for row in changed(None, side).rows] == ["added"]
    found = changed(side, None)
    assert (found.state, [row.kind for row in found.rows], found.total) == ("removed", ["removed"], 1)
    assert [(item.state, item.after) for item in found.platforms] == [("removed", "")]


def test_a_new_platform_shows_only_what_the_others_do_not_have():
    linux = lock(conda("a"), conda("b", "1"))
    windows = lock(conda("a", build="w_0"), conda("b", "2"), conda("only"), platform="win-64")
    found = changed(content(linux), content(linux, windows))
    assert [(row.name, row.kind, row.platforms) for row in found.rows] == [
        ("b", "added", ("win-64",)),
        ("only", "added", ("win-64",)),
    ]
    (platform,) = found.platforms
    assert (platform.platform, platform.state, platform.packages, platform.alike) == ("win-64", "added", 3, 1)


def test_a_new_platform_hides_no_finding():
    sides = [lock(conda("a")), lock(conda("a", license="GPL", timestamp=NOW), platform="win-64")]
    found = changed(content(sides[0]), content(*sides))
    assert [(item.kind, item.platforms) for item in found.findings] == [("recent", ("win-64",))]


def test_what_no_request_leads_to_is_pythons_or_the_bases():
    locked = lock(conda("python", depends=("zlib",)), conda("zlib"), conda("extra"), conda("lib"), base="ml/base:v1")
    rows = {row.name: row.why for row in changed(None, content(locked, direct=["lib"])).rows}
    assert rows == {
        "python": ("python",),
        "zlib": ("python", "zlib"),
        "extra": ("base ml/base:v1", "extra"),
        "lib": ("lib",),
    }


def test_a_credential_is_never_shown():
    (item,) = registry_settings({"store": "s3://a/b"}, {"store": "s3://user:secret@a/b"})
    assert item.after == "s3://***@a/b"


def test_two_names_are_both_shown():
    found = changed(content(lock(conda("a")), name="x/old"), content(lock(), name="x/new"))
    assert found.name == "x/old -> x/new"


def test_settings_of_the_registry_are_compared_at_any_depth():
    before = {"store": "s3://a", "policy": {"licenses": ["MIT"], "age": 7}}
    after = {"store": "s3://b", "policy": {"licenses": ["MIT", "GPL"], "age": 7}}
    assert told(registry_settings(before, after)) == [
        ("policy.licenses", "MIT", "MIT, GPL"),
        ("store", "s3://a", "s3://b"),
    ]
