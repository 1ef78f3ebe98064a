from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings

from envtag.credentials import Credential, Credentials, LoginError, load, login_hint, split_credential
from envtag.errors import FatalError, UnsolvableError
from envtag.output import Output
from envtag.request import CondaRequirement, Login, PypiRequirement, Request
from envtag.solve import solve
from envtag.urls import Mirrors
from support.attempt import attempt
from support.damage import damaged
from support.index import Index, write_story
from support.story import HERE, MINOR, Story
from support.web import Server, web_server
from support.wheels import make_wheel

USER, SECRET = "me", "hunter2-and-more"
HEADER = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
CHANNEL = "https://conda.example/private"


def header(found: Credential | None) -> str:
    return found.header if found is not None else ""


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_own_variable_goes_before_those_of_pip_and_uv():
    known = load(
        {
            "ENVTAG_CREDENTIALS": "https://a:1@one.example https://b:%402@two.example:8443/x",
            "PIP_INDEX_URL": "https://c:3@one.example/simple",
            "PIP_EXTRA_INDEX_URL": "https://d:4@three.example/simple https://plain.example/s",
            "UV_INDEX": "team=https://four.example/simple https://e:5@five.example/simple",
            "UV_INDEX_TEAM_USERNAME": "f",
            "UV_INDEX_TEAM_PASSWORD": "6",
        }
    )
    found = {url: header(known.of(url)) for url in (
        "https://one.example/x", "https://two.example:8443/x", "https://two.example/x", "https://three.example",
        "https://four.example", "https://five.example", "https://plain.example",
    )}  # fmt: skip
    assert found == {
        "https://one.example/x": basic("a", "1"),
        "https://two.example:8443/x": basic("b", "@2"),
        "https://two.example/x": "",
        "https://three.example": basic("d", "4"),
        "https://four.example": basic("f", "6"),
        "https://five.example": basic("e", "5"),
        "https://plain.example": "",
    }


def test_a_host_without_a_port_is_known_on_all_of_them():
    known = load({"ENVTAG_CREDENTIALS": "https://a:1@h.example"})
    assert header(known.of("https://H.example:8443/simple")) == basic("a", "1")


@pytest.mark.parametrize("value", ["https://h.example", "https://u:hunter2@[h", "hunter2"])
def test_a_malformed_variable_is_refused_without_being_shown(value: str):
    with pytest.raises(FatalError) as raised:
        load({"ENVTAG_CREDENTIALS": value})
    assert raised.value.message.startswith("ENVTAG_CREDENTIALS holds a")
    assert "hunter2" not in raised.value.message + raised.value.hint


def test_rattlers_file_is_read_where_it_is(tmp_path: Path):
    document = {
        "*.one.example": {"BearerToken": "b"},
        "two.example": {"CondaToken": "c"},
        "three.example": {"BasicHTTP": {"username": "u", "password": "p"}},
        "s3://bucket": {"S3Credentials": {}},
        "odd.example": "x",
    }
    (tmp_path / ".rattler").mkdir()
    (tmp_path / ".rattler" / "credentials.json").write_text(json.dumps(document))
    (tmp_path / "other.json").write_text("{}")
    known = load({"HOME": str(tmp_path)})
    assert header(known.of("https://a.b.one.example/x")) == "Bearer b"
    token = known.of("https://two.example/channel/noarch/x.conda")
    assert token is not None
    assert token.header == ""
    assert token.url("https://two.example/channel/x.conda") == "https://two.example/t/c/channel/x.conda"
    assert header(known.of("https://three.example")) == basic("u", "p")
    assert known.of("https://odd.example") is None
    named = load({"HOME": str(tmp_path), "RATTLER_AUTH_FILE": str(tmp_path / "other.json")})
    assert named.of("https://three.example") is None


def test_a_damaged_file_of_rattlers_is_named(tmp_path: Path):
    (tmp_path / "a.json").write_text('{"h.example": {"BearerToken": "hunter2"')
    with pytest.raises(FatalError, match=r"a\.json` cannot be read as rattler's credentials") as raised:
        load({"RATTLER_AUTH_FILE": str(tmp_path / "a.json")})
    assert raised.value.__cause__ is None


def test_a_specs_variables_are_read_when_they_are_needed():
    login = Login(host="h.example", username="${A}", password="x${B}${B}")
    assert header(load({"A": "u", "B": "p"}, [login]).of("https://h.example")) == basic("u", "xpp")
    known = load({"A": "u"}, [login])
    assert known.of("https://h.example") is None
    assert known.missing == {"h.example": ["B"]}
    assert "`B`" in login_hint("h.example", known.missing["h.example"])


def test_a_credential_is_in_no_text():
    held = Credential(username="hunter2", password="hunter2", bearer="hunter2", conda_token="hunter2")
    assert "hunter2" not in f"{held!r} {Credentials({'h.example': held})!r}"


def test_a_url_is_split_from_what_it_holds():
    bare, held = split_credential("https://u:p%40@h.example:1/x?y#z")
    assert (bare, header(held)) == ("https://h.example:1/x?y#z", basic("u", "p@"))
    assert split_credential("https://h.example/x") == ("https://h.example/x", None)


class Keyring(ModuleType):
    """A keyring that knows one host, as the package of that name does."""

    def __init__(self, host: str, kept: str = "") -> None:
        super().__init__("keyring")
        self.host, self.kept = host, kept
        self.asked: list[str] = []

    def get_credential(self, service: str, username: str | None) -> SimpleNamespace | None:
        self.asked.append(service)
        known = service == self.host and not self.kept
        return SimpleNamespace(username=USER, password=SECRET) if known else None

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept if (service, username) == ("rattler", self.host) else None


def test_a_keyring_is_asked_once_for_a_host_that_demands_a_login(monkeypatch: pytest.MonkeyPatch):
    keyring = Keyring("h.example")
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    known = Credentials()
    tries = []

    def act() -> str:
        tries.append(header(known.of("https://h.example/x")))
        if len(tries) < 2:
            raise LoginError("the index at", "https://h.example/x", 401)
        return "done"

    assert known.retried(act) == "done"
    assert tries == ["", HEADER]
    with pytest.raises(LoginError, match=r"`h\.example` refuses who asks"):
        known.retried(lambda: (_ for _ in ()).throw(LoginError("the index at", "https://h.example/x", 403)))
    assert keyring.asked == ["https://h.example", "h.example"]


def test_what_rattler_keeps_in_a_keyring_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", Keyring("h.example", '{"BearerToken": "t"}'))
    known = Credentials()
    assert known.ask("https://h.example/x")
    assert header(known.of("https://h.example/y")) == "Bearer t"


def test_without_a_keyring_the_refusal_stands(monkeypatch: pytest.MonkeyPatch):
    for keyring in (None, SimpleNamespace()):
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        assert not Credentials().ask("https://h.example/x")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """A private index, whose packages are public elsewhere too, in lower versions."""
    (tmp_path / "private").mkdir()
    make_wheel(tmp_path / "private", "alpha", "0.5")
    running = Index(tmp_path / "private")
    running.login = HEADER
    yield running
    running.stop()


@pytest.fixture
def channel(conda_channel: Path) -> Iterator[Server]:
    """The test channel, behind a login."""
    with web_server() as running:
        running.directory, running.login = conda_channel, HEADER
        yield running


def ask_conda(client: Any, channel: Server, *names: str) -> list[Any]:
    """Solve conda packages of the private channel."""
    config = client.config._replace(mirrors=Mirrors.parse(f"{CHANNEL}={channel.url}"))
    request = Request(
        interpreter="conda", channels=(CHANNEL,), conda=tuple(CondaRequirement(name=name) for name in names)
    )
    return solve(request, ["linux-64"], config=config, store=None, base_locks={}, output=Output())


def ask_pypi(client: Any, index: Index, *, extra: tuple[str, ...] = (), **fields: Any) -> list[Any]:
    """Solve `alpha` of the private index, with a public one behind it."""
    given = {
        "interpreter": "uv",
        "python": "==3.11.*",
        "extra_index_urls": (index.url,),
        "pypi": (PypiRequirement(name="alpha", text="alpha"),),
        **fields,
    }
    return solve(Request(**given), ["linux-64"], config=client.config, store=None, base_locks={}, output=Output())


def by_variable(monkeypatch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    monkeypatch.setenv("ENVTAG_CREDENTIALS", url.replace("://", f"://{USER}:{SECRET}@"))


def by_variable_of_pip(monkeypatch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", url.replace("://", f"://{USER}:{SECRET}@"))


def by_netrc(monkeypatch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {SECRET}\n")


def by_keyring(monkeypatch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring(url.partition("://")[2].partition("/")[0]))


def by_rattlers_file(monkeypatch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    path = home / "auth.json"
    path.write_text(json.dumps({"127.0.0.1": {"BasicHTTP": {"username": USER, "password": SECRET}}}))
    monkeypatch.setenv("RATTLER_AUTH_FILE", str(path))


WAYS = [by_variable, by_variable_of_pip, by_netrc, by_keyring, by_rattlers_file]


@pytest.mark.parametrize("way", WAYS)
def test_a_private_channel_is_solved_from_in_each_way_to_log_in(
    client: Any, channel: Server, home: Path, monkeypatch: pytest.MonkeyPatch, way: Any
):
    way(monkeypatch, channel.url, home)
    [lock] = ask_conda(client, channel, "tzish")
    assert lock.packages[0].url.startswith(f"{CHANNEL}/noarch/")
    assert HEADER in channel.authorization


@pytest.mark.parametrize("way", WAYS)
def test_a_private_index_is_solved_from_in_each_way_to_log_in(
    client: Any, index: Index, pypi_index: Index, home: Path, monkeypatch: pytest.MonkeyPatch, way: Any
):
    way(monkeypatch, index.url, home)
    [lock] = ask_pypi(client, index, index_url=pypi_index.url)
    assert [(item.version, item.url) for item in lock.packages] == [
        ("0.5", index.file_url("alpha-0.5-py3-none-any.whl"))
    ]


@pytest.mark.parametrize("status", [401, 403])
def test_a_channel_that_refuses_is_named_with_how_to_log_in(client: Any, channel: Server, status: int):
    channel.refusal = status
    with pytest.raises(LoginError) as raised:
        ask_conda(client, channel, "tzish")
    host = channel.url.partition("://")[2]
    said = "demands a login" if status == 401 else "refuses who asks"
    assert raised.value.message == f"the conda channel at `{host}` {said} (HTTP {status})"
    assert "~/.netrc" in raised.value.hint
    assert f"@{host}`" in raised.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_is_named_and_no_other_one_is_asked(
    client: Any, index: Index, pypi_index: Index, status: int
):
    index.refusal = status
    before = len(pypi_index.requests)
    with pytest.raises(LoginError) as raised:
        ask_pypi(client, index, index_url=pypi_index.url)
    assert raised.value.message.startswith("the PyPI index at `127.0.0.1:")
    assert f"(HTTP {status})" in raised.value.message
    assert not [path for path in pypi_index.requests[before:] if "alpha" in path]


def test_a_token_that_uv_has_no_form_for_is_told_where_it_is_refused(
    client: Any, index: Index, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "auth.json").write_text(json.dumps({"127.0.0.1": {"BearerToken": SECRET}}))
    monkeypatch.setenv("RATTLER_AUTH_FILE", str(home / "auth.json"))
    with pytest.raises(LoginError) as raised:
        ask_pypi(client, index)
    host = index.root.partition("://")[2]
    assert raised.value.hint == (
        f"a bearer token is known for `{host}`, and uv and pip send user name and password alone: "
        f"`ENVTAG_CREDENTIALS=https://USER:TOKEN@{host}`, with the user name that it documents for tokens"
    )


def test_a_token_is_a_password_where_its_host_documents_a_user_name_for_it():
    plain, bearer, conda = Credential(username="u"), Credential(bearer="t"), Credential(conda_token="t")
    assert plain.basic("h.example") is plain
    google = bearer.basic("europe-python.pkg.dev:443")
    assert google == Credential(username="oauth2accesstoken", password="t")
    assert bearer.basic("pkg.dev.example") is bearer.basic("evilpkg.dev") is conda.basic("a.pkg.dev") is None
    known = Credentials({"a-python.pkg.dev": bearer, "h.example": bearer, "i.example": plain})
    assert known.by_host() == {"a-python.pkg.dev": google, "i.example": plain}


def test_variables_of_a_spec_log_in_and_are_named_where_they_are_not_set(
    client: Any, index: Index, pypi_index: Index, monkeypatch: pytest.MonkeyPatch
):
    host = index.root.partition("://")[2]
    logins = (Login(host=host, username="${INDEX_USER}", password="${INDEX_TOKEN}"),)
    with pytest.raises(LoginError) as raised:
        ask_pypi(client, index, index_url=pypi_index.url, logins=logins)
    assert raised.value.hint == "the spec logs in there by `INDEX_USER`, `INDEX_TOKEN`: set what is not set"
    monkeypatch.setenv("INDEX_USER", USER)
    monkeypatch.setenv("INDEX_TOKEN", SECRET)
    [lock] = ask_pypi(client, index, index_url=pypi_index.url, logins=logins)
    assert lock.packages[0].version == "0.5"


def test_a_wheel_by_its_url_and_a_page_of_links_may_be_private(
    client: Any, index: Index, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ENVTAG_CREDENTIALS", f"https://{USER}:{SECRET}@127.0.0.1")
    url = index.file_url("alpha-0.5-py3-none-any.whl")
    [lock] = ask_pypi(client, index, extra_index_urls=(), pypi=(PypiRequirement(name="alpha", text=f"alpha @ {url}"),))
    assert lock.packages[0].url == url


def test_of_two_indices_the_first_decides_and_of_two_channels_too(
    client: Any, index: Index, pypi_index: Index, conda_channel: Path, other_channel: Path
):
    """A higher version of one name elsewhere is never taken, nor for a bound that excludes what the first has."""
    index.login = ""
    [lock] = ask_pypi(client, index, index_url=pypi_index.url)
    assert lock.packages[0].version == "0.5"
    with pytest.raises(UnsolvableError):
        ask_pypi(client, index, index_url=pypi_index.url, pypi=(PypiRequirement(name="alpha", text="alpha>=1"),))
    other = "https://conda.example/other"
    mirrors = Mirrors.parse(f"{CHANNEL}={conda_channel.as_uri()} {other}={other_channel.as_uri()}")
    config = client.config._replace(mirrors=mirrors)
    for version, expected in (("", "2.0"), (">=3", "")):
        request = Request(
            interpreter="conda",
            channels=(CHANNEL, other),
            conda=(CondaRequirement(name="alpha", version=version), CondaRequirement(name="python", version="3.12.*")),
        )
        try:
            [lock] = solve(request, ["linux-64"], config=config, store=None, base_locks={}, output=Output())
            found = next(item.version for item in lock.packages if item.name == "alpha")
        except UnsolvableError:
            found = ""
        assert found == expected


def _holds_secret(place: Path) -> list[str]:
    """The files below a directory that hold the secret, as it is or as it is sent."""
    needles = (SECRET.encode(), HEADER.encode())
    found = []
    for root, _, names in os.walk(place):
        for name in names:
            path = Path(root, name)
            if path.is_file() and any(needle in path.read_bytes() for needle in needles):
                found.append(str(path))
    return found


def test_from_resolve_to_create_nothing_of_a_login_is_written_down(
    story: Story, channel: Server, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):  # fmt: skip
    private = tmp_path / "index"
    private.mkdir()
    write_story(private)
    index = Index(private)
    index.login = HEADER
    monkeypatch.setenv("ENVTAG_CREDENTIALS", f"https://{USER}:{SECRET}@127.0.0.1")
    monkeypatch.setenv("ENVTAG_MIRRORS", f"https://conda.anaconda.org/conda-forge={channel.url}")
    login = f"-i {index.url.replace('://', '://${INDEX_USER}:${INDEX_TOKEN}@')}\n"
    said = []
    try:
        path = story.spec("requirements.txt", f"{login}alpha\ndelta\n")
        said.append(
            story.call("resolve", "-r", str(path), "--alias", "mlp/pure:v1", "--platform", HERE, "--python", MINOR)
        )
        text = "channels: [conda-forge]\ndependencies: [tzish, prefixed]\n"
        said.append(story.resolve("mlp/conda:v1", environment=text, options=("--platform", HERE)))
        story.commit("private ones")
        monkeypatch.delenv("ENVTAG_CREDENTIALS")
        monkeypatch.setenv("INDEX_USER", USER)
        monkeypatch.setenv("INDEX_TOKEN", SECRET)
        said.append(story.call("publish", "mlp/pure"))
        monkeypatch.setenv("ENVTAG_CREDENTIALS", f"https://{USER}:{SECRET}@127.0.0.1")
        said.append(story.call("publish", "mlp/conda"))
        said.append(story.call("create", "mlp/pure:v1", "--prefix", str(tmp_path / "pure")))
        said.append(story.call("create", "mlp/conda:v1", "--prefix", str(tmp_path / "conda")))
    finally:
        index.stop()
    assert "${INDEX_TOKEN}" in story.files("mlp/pure")["requirements.txt"]
    assert _holds_secret(tmp_path) == []
    assert _holds_secret(home) == []
    history = story.repo.git("log", "--all", "-p", "--format=fuller") + "".join(item.out + item.err for item in said)
    assert SECRET not in history + "".join(capfd.readouterr())
    assert HEADER in channel.authorization


@settings(max_examples=100, deadline=None, database=None)
@given(damaged(["https://u:hunter2@a.example https://v:hunter2%40@b.example:8443/x"]))
def test_a_damaged_variable_is_read_or_refused_without_a_secret(text: str):
    _, error = attempt(load, {"ENVTAG_CREDENTIALS": text})
    assert error is None or "hunter" not in error.message + error.hint
