from __future__ import annotations

import os
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.registry.address import identity_of, is_url, parse_address

BASE = Path("/base")


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://github.com/org/envs.git", "github.com/org/envs"),
        ("https://GitHub.com/org/envs/", "github.com/org/envs"),
        ("https://me:hunter2@github.com/org/envs", "github.com/org/envs"),
        ("ssh://git@github.com/org/envs.git", "github.com/org/envs"),
        ("ssh://git@github.com:22/org/envs.git", "github.com/org/envs"),
        ("git@github.com:org/envs.git", "github.com/org/envs"),
        ("github.com:org/envs", "github.com/org/envs"),
        ("https://host:8443/envs.git", "host:8443/envs"),
        ("https://host:443/envs.git", "host/envs"),
        ("alice@host:envs.git", "alice@host/envs"),
        ("ssh://alice@host/envs.git", "alice@host/envs"),
        ("https://host/a%20b.git", "host/a b"),
        ("file:///srv/envs.git", "file:/srv/envs"),
        ("file:///srv/a%20b.git/", "file:/srv/a b"),
        ("/srv/envs.git", "file:/srv/envs"),
        ("/srv/envs/.git", "file:/srv/envs"),
        ("../envs.git", "file:/envs"),
    ],
)
def test_one_place_has_one_identity_however_it_is_reached(url: str, identity: str):
    assert identity_of(url, BASE) == identity


def test_a_path_through_a_link_is_the_place_behind_it(tmp_path: Path):
    (tmp_path / "real.git").mkdir()
    (tmp_path / "link").symlink_to("real.git")
    assert identity_of(str(tmp_path / "link"), BASE) == f"file:{os.path.realpath(tmp_path)}/real"


@pytest.mark.parametrize("text", ["https://h/x", "ssh://h/x", "file:///x", "git@host:x", "host:x/y", "ext::sh -c x"])
def test_urls_are_known(text: str):
    assert is_url(text)


@pytest.mark.parametrize("text", ["/x", "x", "./a:b", "x/y:z", "C:\\x", ".", "~/x"])
def test_paths_are_no_urls(text: str):
    assert not is_url(text)


@pytest.mark.parametrize(
    ("url", "bare", "secrets"),
    [
        ("https://me:hunter2%21@host:8443/x.git", "https://host:8443/x.git", ("hunter2!", "hunter2%21")),
        ("https://ghp_token@host/x.git", "https://host/x.git", ("ghp_token",)),
    ],
)
def test_credentials_are_kept_apart(url: str, bare: str, secrets: tuple[str, ...]):
    address = parse_address(url)
    assert (address.url, address.secrets) == (bare, secrets)
    assert address.settings == {f"url.{url}.insteadOf": bare}


@pytest.mark.parametrize("url", ["https://host/x.git", "ssh://git@host/x", "git@host:x.git", "file:///x"])
def test_a_url_without_credentials_stays_as_it_is(url: str):
    address = parse_address(url)
    assert (address.url, address.settings, address.secrets) == (url, {}, ())


@pytest.mark.parametrize("url", ["https://host:port/x", "https://[half/x", "https://host/a b", "--upload-pack=x://y"])
def test_a_malformed_url_is_refused(url: str):
    with pytest.raises(FatalError, match="the registry's URL"):
        parse_address(url)
