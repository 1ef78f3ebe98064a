from __future__ import annotations

import stat
from pathlib import Path

from envtag.credentials import Credential, Credentials
from envtag.urls import Mirrors
from envtag.uv_indices import index_words, netrc_for, own_netrc

KNOWN = Credentials({"b.example": Credential(username="u", password='p "w'), "c.example": Credential(bearer="t")})


def test_indices_are_named_only_where_somebody_logs_in_and_secrets_are_no_words():
    found = index_words(
        Mirrors(), KNOWN, default="https://a.example/s", extra=("https://b.example/s", "https://c.example/s")
    )
    assert found.words == [
        "--default-index", "https://a.example/s", "--index", "envtag-1=https://b.example/s",
        "--index", "https://c.example/s",
    ]  # fmt: skip
    assert found.variables == {"UV_INDEX_ENVTAG_1_USERNAME": "u", "UV_INDEX_ENVTAG_1_PASSWORD": 'p "w'}
    assert "p \\" not in repr(found)


def test_what_a_mirrors_url_holds_goes_into_variables_too():
    mirrors = Mirrors.parse("https://a.example=https://m:pw@mirror.example/a")
    found = index_words(mirrors, Credentials(), default="https://a.example/s", no_index=True)
    assert found.words == ["--no-index", "--default-index", "envtag-0=https://mirror.example/a/s"]
    assert found.variables == {"UV_INDEX_ENVTAG_0_USERNAME": "m", "UV_INDEX_ENVTAG_0_PASSWORD": "pw"}


def test_a_netrc_has_what_is_known_before_the_users_own_lines(tmp_path: Path):
    own = tmp_path / "own"
    own.write_text("machine d.example login me password mine\n")
    variables = netrc_for(KNOWN, tmp_path / "work", own)
    path = Path(variables["NETRC"])
    assert (
        path.read_text() == 'machine b.example login "u" password "p \\"w"\nmachine d.example login me password mine\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert netrc_for(Credentials({"b.example:1": Credential(username="u")}), tmp_path / "none", own) == {}


def test_the_users_own_netrc_is_where_they_say_or_at_home():
    assert own_netrc({"NETRC": "/a/netrc", "HOME": "/h"}) == Path("/a/netrc")
    assert own_netrc({"HOME": "/h"}) == Path("/h/.netrc")


def test_the_default_index_is_asked_where_its_mirror_is_unless_another_one_takes_its_place():
    mirrors = Mirrors.parse("pypi=https://u:p@m.example/simple")
    found = index_words(mirrors, Credentials(), default="")
    assert found.words == ["--default-index", "envtag-0=https://m.example/simple"]
    assert found.variables["UV_INDEX_ENVTAG_0_PASSWORD"] == "p"
    assert index_words(mirrors, Credentials(), default="https://a.example/s").words == [
        "--default-index", "https://a.example/s",
    ]  # fmt: skip
    assert index_words(mirrors, Credentials(), default="", no_index=True).words == ["--no-index"]
