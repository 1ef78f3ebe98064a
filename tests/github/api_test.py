from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from envtag.errors import FatalError
from envtag.github import api
from envtag.github.api import Api, RefusedError
from support.github import ADMIN, GitHub, github_server
from support.web import web_server


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as server:
        yield server


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(api, "_PAUSE_SECONDS", 0.001)


def client(github: GitHub, token: str = ADMIN) -> Api:
    return Api.of(github.environ(token))


def refused(github: GitHub, token: str = ADMIN) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        client(github, token).get("read it", "/repos/team/envs")
    assert "\n" not in caught.value.message
    assert token not in caught.value.message + caught.value.hint
    return caught.value


def test_the_token_is_sent_and_not_shown(github):
    assert client(github).get("read it", "/repos/team/envs")["default_branch"] == "main"
    assert github.authorization == [f"Bearer {ADMIN}"]
    assert ADMIN not in repr(client(github))


@pytest.mark.parametrize(
    ("environ", "token"),
    [
        ({"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}, "a"), ({"GITHUB_TOKEN": "b"}, "b"),
        ({"GH_TOKEN": "", "GITHUB_TOKEN": "b\n"}, "b"), ({}, ""),
    ],
)  # fmt: skip
def test_the_token_is_the_first_that_is_set(environ, token):
    assert Api.of(environ) == Api(url="https://api.github.com", token=token)


def test_a_line_of_netrc_is_not_sent_in_its_place(github, home):
    (home / ".netrc").write_text("machine 127.0.0.1 login mallory password hunter2\n")
    (home / ".netrc").chmod(0o600)
    client(github).get("read it", "/repos/team/envs")
    client(github, "").get("read it", "/repos/team/envs")
    assert github.authorization == [f"Bearer {ADMIN}", ""]


@pytest.mark.parametrize(
    "url",
    [
        "github.com",
        "ftp://github.com",
        "https://me:hunter2@github.com",
        "https://github.com/?a=b",
        "https://[",
        "https://",
    ],
)
def test_a_malformed_address_is_refused_without_showing_it(url):
    with pytest.raises(FatalError) as caught:
        Api.of({"GITHUB_API_URL": url})
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_token_does_not_travel_in_the_clear():
    with pytest.raises(FatalError, match="is not `https`"):
        Api.of({"GITHUB_API_URL": "http://github.example.org/api/v3", "GH_TOKEN": ADMIN})


@pytest.mark.parametrize("token", ["a b", "a\nb", "é"])
def test_a_malformed_token_is_refused_without_showing_it(token):
    with pytest.raises(FatalError) as caught:
        Api.of({"GH_TOKEN": token})
    assert token not in caught.value.message


def test_an_unknown_token_is_said(github):
    error = refused(github, "ghp_old")
    assert error.status == 401
    assert error.message == "cannot read it: GitHub does not know the token"


def test_no_token_where_one_is_needed_is_said(github):
    github.plan.append(("GET /", 401, {}, {"message": "Requires authentication"}))
    with pytest.raises(RefusedError, match="wants a token") as caught:
        client(github, "").get("read it", "/repos/team/envs")
    assert "GH_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "headers", "hint"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000000"}, "try again after 22:13:20 UTC"),
        (429, {"retry-after": "7"}, "try again in 7 s"),
        (403, {}, "try again later"),
    ],
)
def test_a_used_up_limit_says_when_to_come_back(github, status, headers, hint):
    github.plan.append(("GET /", status, headers, {"message": "You have exceeded a secondary rate limit."}))
    error = refused(github)
    assert error.message.endswith("GitHub's rate limit is used up")
    assert error.hint.startswith(hint)


def test_what_a_token_may_not_do_is_said_with_githubs_words(github):
    github.plan.append(("GET /", 403, {}, {"message": "Resource not accessible by integration"}))
    error = refused(github)
    assert error.message == "cannot read it: the token may not (Resource not accessible by integration)"
    assert not error.no_plan


def test_a_plan_without_rulesets_is_said(github):
    said = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    github.plan.append(("GET /", 403, {}, {"message": said}))
    error = refused(github)
    assert error.no_plan
    assert "has no rulesets" in error.message


def test_what_is_not_there_may_be_hidden(github):
    with pytest.raises(RefusedError, match="no such thing, or the token may not see it"):
        client(github).get("read it", "/repos/team/other")


def test_a_refused_value_is_said_with_githubs_words(github):
    errors = [{"message": "Name must be unique"}, "Invalid rule 'updates': ", {"code": "custom"}]
    github.plan.append(("GET /", 422, {}, {"message": "Validation Failed", "errors": errors}))
    expected = (
        "cannot read it: GitHub refuses what was sent: Validation Failed; Name must be unique; Invalid rule 'updates': "
    )
    assert refused(github).message.startswith(expected + "; custom")


def test_hostile_words_are_one_harmless_line_without_the_token(github):
    github.plan.append(("GET /", 422, {}, {"message": f"a\x1b[31m\n::error::{ADMIN}" + "x" * 5000}))
    error = refused(github)
    assert error.message.isprintable()
    assert len(error.message) < 400


def test_a_moved_repository_is_not_written_to(github):
    github.plan.append(("POST /", 307, {"Location": f"{github.url}/repositories/1/rulesets"}, {"message": "Moved"}))
    with pytest.raises(RefusedError, match="has moved"):
        client(github).send("write it", "POST", "/repos/team/envs/rulesets", {"name": "x"})
    assert len(github.requests) == 1


def test_what_passes_is_asked_again(github):
    github.plan += [("GET /", 502, {}, b"<html>"), ("GET /", 503, {}, b"")]
    assert client(github).get("read it", "/repos/team/envs")["default_branch"] == "main"
    assert len(github.requests) == 3


def test_what_does_not_pass_is_said(github):
    github.plan += [("GET /", 502, {}, b"<html>")] * 3
    assert refused(github).message == "cannot read it: GitHub answers 502: Bad Gateway"


def test_a_write_is_sent_once(github):
    github.plan.append(("POST /", 502, {}, b""))
    with pytest.raises(RefusedError, match="502"):
        client(github).send("write it", "POST", "/repos/team/envs/rulesets", {"name": "x"})
    assert len(github.requests) == 1


def test_no_answer_is_said():
    closed = Api(url="http://127.0.0.1:9", token=ADMIN)
    with pytest.raises(FatalError) as caught:
        closed.get("read it", "/repos/team/envs")
    assert caught.value.message == "cannot read it: no answer from http://127.0.0.1:9 (ConnectionError)"


def test_an_answer_that_is_not_githubs_is_said():
    with web_server() as server:
        server.files["/x"] = b"<html>a proxy</html>"
        with pytest.raises(FatalError, match="does not answer as GitHub does"):
            Api(url=server.url).get("read it", "/x")


def test_all_pages_are_read_and_none_of_another_host(github):
    for number in range(7):
        github.add({"name": f"r{number}", "target": "tag", "enforcement": "active"})
    github.per_page = 3
    found = list(client(github).pages("list", "/repos/team/envs/rulesets"))
    assert [item["name"] for item in found] == [f"r{number}" for number in range(7)]
    assert len(github.requests) == 3
    away = {"Link": '<https://example.org/next>; rel="next"'}
    github.plan.append(("GET /", 200, away, []))
    with pytest.raises(FatalError, match="does not answer as GitHub does"):
        list(client(github).pages("list", "/repos/team/envs/rulesets"))


def test_a_list_that_is_none_and_a_list_without_end_are_said(github):
    with pytest.raises(FatalError, match="does not answer as GitHub does"):
        list(client(github).pages("list", "/repos/team/envs"))
    again = {"Link": f'<{github.url}/repos/team/envs/rulesets>; rel="next"'}
    github.plan += [("GET /", 200, again, json.dumps([{}]).encode())] * 200
    with pytest.raises(FatalError, match="does not answer as GitHub does"):
        list(client(github).pages("list", "/repos/team/envs/rulesets"))
