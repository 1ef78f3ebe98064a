from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.urls import (
    GitUrl,
    Mirrors,
    channel_name,
    channel_url,
    check_public,
    file_path,
    parse_git,
    strip_fragment,
    without_credentials,
)

SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "https://host.example/simple/",
        "https://host.example:8443/x?page=2",
        "http://host.example/at@sign",
        "file:///srv/channel",
        "https://host.example/text/t",
        "https://host.example/x#sha256=00",
        "git+https://host.example/x.git@v1#subdirectory=a",
        "git+ssh://git@host.example/x.git",
        "git+file:///srv/x.git",
    ],
)
def test_a_public_url_is_returned_as_it_is(url):
    assert check_public(url, "index") == url


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"https://user:{SECRET}@host.example/x", "a user name or password"),
        (f"https://{SECRET}@host.example/x", "a user name or password"),
        ("https://@host.example/x", "a user name or password"),
        (f"https://host.example/t/{SECRET}/chan", "a `/t/…/` token"),
        (f"https://host.example/t/{SECRET}", "a `/t/…/` token"),
        (f"https://host.example/x?X-Amz-Signature={SECRET}", "a signed or secret query string"),
        (f"https://host.example/x?a=b&sig={SECRET}", "a signed or secret query string"),
        (f"https://host.example/x?token={SECRET}", "a signed or secret query string"),
        ("https://host.example/x?token=", "a signed or secret query string"),
    ],
)
def test_a_credential_is_refused_without_being_shown(url, found):
    with pytest.raises(FatalError) as raised:
        check_public(url, "package numpy")
    assert found in raised.value.message
    assert "package numpy at `host.example`" in raised.value.message
    assert SECRET not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("simple", "the index `simple` is not an absolute URL"),
        ("", "is not an absolute URL"),
        ("https:///simple", "is not an absolute URL"),
        (f"user:{SECRET}@host.example/x", "the index `host.example/x` is not an absolute URL"),
        (f"//user:{SECRET}@host.example/x", "is not an absolute URL"),
        (f"https://user:{SECRET}/x@host.example", "the URL of index is malformed"),
        ("https://[::1/x", "the URL of index is malformed"),
        ("https://host.example/a b", "has a blank or control character"),
        ("https://host.example/a\nb", "has a blank or control character"),
        ("https://host.example/a\x7f", "has a blank or control character"),
    ],
)
def test_what_is_no_url_is_refused_without_showing_a_credential(url, message):
    with pytest.raises(FatalError) as raised:
        check_public(url, "index")
    assert message in raised.value.message
    assert SECRET not in raised.value.message + raised.value.hint
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    ("channel", "url", "name"),
    [
        ("conda-forge", "https://conda.anaconda.org/conda-forge", "conda-forge"),
        ("conda-forge/label/rc", "https://conda.anaconda.org/conda-forge/label/rc", "conda-forge/label/rc"),
        ("https://conda.anaconda.org/conda-forge/", "https://conda.anaconda.org/conda-forge", "conda-forge"),
        ("https://host.example/chan/", "https://host.example/chan", "https://host.example/chan"),
        ("file:///srv/chan", "file:///srv/chan", "file:///srv/chan"),
    ],
)
def test_a_channel_has_one_url_and_one_short_name(channel, url, name):
    assert channel_url(channel) == url
    assert channel_url(url) == url
    assert channel_name(url) == name


@pytest.mark.parametrize("channel", ["", "a b", "-c", "../chan", "conda-forge\n", "/abs", "a//b", f"u:{SECRET}@host/c"])
def test_what_is_no_channel_is_refused(channel):
    with pytest.raises(FatalError, match="neither a channel name nor a URL") as raised:
        channel_url(channel)
    assert SECRET not in raised.value.message


def test_a_fragment_is_left_out():
    assert strip_fragment("https://h.example/a.whl#sha256=00") == "https://h.example/a.whl"
    assert strip_fragment("https://h.example/a.whl") == "https://h.example/a.whl"


def test_a_url_can_be_shown_without_its_credentials():
    assert without_credentials(f"https://u:{SECRET}@h.example:81/a?sig={SECRET}#x") == "https://h.example:81/a"
    assert without_credentials(f"https://h.example/t/{SECRET}/chan") == "https://h.example/t/***/chan"
    assert without_credentials("file:///t/pkgs/chan") == "file:///t/pkgs/chan"


def test_a_mirror_is_where_a_canonical_url_is_fetched_from_and_back():
    mirrors = Mirrors.parse("https://a.example/c=file:///srv/c https://a.example/c/deep=https://m.example/d/")
    pairs = {
        "https://a.example/c/linux-64/x.conda": "file:///srv/c/linux-64/x.conda",
        "https://a.example/c/deep/x": "https://m.example/d/x",
        "https://a.example/c": "file:///srv/c",
        "https://a.example/cc/x": "https://a.example/cc/x",
    }
    for canonical, fetched in pairs.items():
        assert mirrors.fetch_url(canonical) == fetched
        assert mirrors.canonical_url(fetched) == canonical


def test_the_variable_wins_over_the_config_file():
    mirrors = Mirrors.parse("https://a.example=https://b.example", {"https://a.example": "https://c.example"})
    assert mirrors.fetch_url("https://a.example/x") == "https://b.example/x"


@pytest.mark.parametrize("text", ["https://a.example", "https://a.example=there", "here=https://a.example"])
def test_a_malformed_mirror_is_refused(text):
    with pytest.raises(FatalError):
        Mirrors.parse(text)


def test_a_file_url_names_a_path_of_this_machine():
    assert file_path("file:///srv/my%20chan") == Path("/srv/my chan")
    assert file_path("file://localhost/srv/chan") == Path("/srv/chan")
    for url in ("https://h.example/srv", "file://other/srv/chan", "file:relative"):
        assert file_path(url) is None


COMMIT = "0a" * 20


@pytest.mark.parametrize(
    ("url", "git"),
    [
        ("git+https://h.example/o/a.git", GitUrl(repository="https://h.example/o/a.git")),
        (f"git+https://h.example/a@{COMMIT}", GitUrl(repository="https://h.example/a", revision=COMMIT)),
        (
            "git+ssh://git@h.example:22/a@feature/x#subdirectory=p/q",
            GitUrl(repository="ssh://git@h.example:22/a", revision="feature/x", subdirectory="p/q"),
        ),
        ("git+file:///srv/a@v1.0", GitUrl(repository="file:///srv/a", revision="v1.0")),
    ],
)
def test_a_git_url_is_taken_apart_and_put_together_again(url, git):
    assert parse_git(url) == git
    assert str(git) == url


def test_other_urls_are_no_git_urls():
    assert parse_git("https://h.example/a.git") is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("git+ext://sh", "`git\\+ext` URLs cannot be fetched"),
        ("git+https:///a", "is not an absolute URL"),
        ("git+https://h.example/a@v1@v2", "names no branch, tag or commit"),
        ("git+https://h.example/a@v1.lock", "names no branch, tag or commit"),
        ("git+https://h.example/a?x=1", "has a query"),
        ("git+https://h.example/a#subdirectory=", "is not understood"),
        ("git+https://h.example/a#subdirectory=a/../..", "is not understood"),
        ("git+https://h.example/a#subdirectory=a&egg=b", "is not understood"),
    ],
)
def test_a_malformed_git_url_is_refused(url, message):
    with pytest.raises(FatalError, match=message):
        parse_git(url)


def test_a_repository_goes_where_its_mirror_is_and_back():
    mirrors = Mirrors.parse("https://h.example/a=http://mirror.example/x/a")
    there = f"git+http://mirror.example/x/a@{COMMIT}#subdirectory=p"
    assert mirrors.fetch_url(f"git+https://h.example/a@{COMMIT}#subdirectory=p") == there
    assert mirrors.canonical_url(there) == f"git+https://h.example/a@{COMMIT}#subdirectory=p"
    assert mirrors.fetch_url("git+https://h.example/ab@v1") == "git+https://h.example/ab@v1"


def test_the_default_index_may_have_a_mirror_and_no_name_of_a_host():
    mirrors = Mirrors.parse("pypi=https://u:p@h.example/simple/ https://a.example=https://b.example", {"pypi": "x"})
    assert mirrors.default_index == "https://u:p@h.example/simple"
    assert mirrors.pairs == (("https://a.example", "https://b.example"),)
    with pytest.raises(FatalError):
        Mirrors.parse("pypi=simple")


def test_what_a_mirror_with_a_login_answers_with_is_mapped_back():
    mirrors = Mirrors.parse("https://a.example/x=https://u:p@b.example/y")
    assert mirrors.canonical_url("https://b.example/y/z.whl") == "https://a.example/x/z.whl"
    assert mirrors.canonical_url("https://u:p@b.example/y/z.whl") == "https://a.example/x/z.whl"
