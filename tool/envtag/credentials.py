"""Who a client is at private hosts: from variables, the files of other tools, and a keyring that is asked last.

Nothing here is ever written down. What uv, requests and rattler read by themselves (`~/.netrc`) is left to them.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from envtag.errors import FatalError
from envtag.urls import host_of

if TYPE_CHECKING:
    from envtag.request import Login

VARIABLE = "ENVTAG_CREDENTIALS"
#: Variables of pip and uv that hold URLs, with credentials in them where a host demands some.
_OF_OTHERS = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
)  # fmt: skip
#: The user name that hosts document for a token as a password (Google Artifact Registry, "Authenticate to Python").
_TOKEN_USERS = ((".pkg.dev", "oauth2accesstoken"),)
_REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What is shown to one host; its parts are in no text of it.

    Attributes:
        username: For HTTP's basic scheme.
        password: The same.
        bearer: A token that is sent as it is, empty for none.
        conda_token: A token that goes into the path (`/t/TOKEN/channel`), empty for none.
    """

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    conda_token: str = field(default="", repr=False)

    @property
    def header(self) -> str:
        """The value of `Authorization`; empty where the token goes into the path."""
        if self.bearer or self.conda_token:
            return f"Bearer {self.bearer}" if self.bearer else ""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def basic(self, host: str) -> Credential | None:
        """The same as user name and password, for a program that knows nothing else; None where it cannot be said so.

        Args:
            host: Whose it is: a host documents what user name goes with its tokens, and few do.
        """
        if not (self.bearer or self.conda_token):
            return self
        user = next(
            (user for end, user in _TOKEN_USERS if self.bearer and f".{host.partition(':')[0]}".endswith(end)), ""
        )
        return Credential(username=user, password=self.bearer) if user else None

    def url(self, url: str) -> str:
        """The URL that is really asked: with a token in its path, if it is one of that kind."""
        if not self.conda_token or "/t/" in url:
            return url
        parts = urlsplit(url)
        return parts._replace(path=f"/t/{self.conda_token}{parts.path}").geturl()


class LoginError(FatalError):
    """A host wants to know who asks, or refuses who it is.

    Args:
        what: What is asked for there (`the PyPI index at`).
        url: The URL that it refused; may hold credentials, which are not shown.
        status: 401 or 403.
        missing: Variables that a spec names for its login and that are not set.
        known: What was known for the host.
    """

    def __init__(
        self, what: str, url: str, status: int, missing: Sequence[str] = (), *, known: Credential | None = None
    ) -> None:
        host = host_of(url)
        said = "demands a login" if status == 401 else "refuses who asks"  # noqa: PLR2004 - HTTP
        super().__init__(f"{what} `{host}` {said} (HTTP {status})", _untold(host, known) or login_hint(host, missing))
        self.url = url


class Credentials:
    """The credentials of one client, by host.

    Args:
        known: `HOST` or `HOST:PORT` to what is shown there; `*.DOMAIN` for all below it.
        missing: Host to the variables that a spec names for it and that are not set.
    """

    def __init__(
        self, known: Mapping[str, Credential] | None = None, missing: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._known = dict(known or {})
        self._asked: dict[str, bool] = {}
        self.missing = dict(missing or {})

    def __repr__(self) -> str:
        return f"Credentials({sorted(self._known)})"

    def of(self, url: str) -> Credential | None:
        """What is shown to the host of a URL; None for nothing. A keyring is not asked."""
        host = host_of(url)
        name = host.partition(":")[0]
        above = [f"*.{name.split('.', count)[-1]}" for count in range(1, name.count(".") + 1)]
        return next((self._known[key] for key in (host, name, *above) if key in self._known), None)

    def ask(self, url: str) -> bool:
        """Ask a keyring for the host of a URL, once; whether it knows more than is known already."""
        host = host_of(url)
        if host not in self._asked:
            found = _from_keyring(url)
            self._asked[host] = found is not None and found != self.of(url)
            if found is not None:
                self._known[host] = found
            return self._asked[host]
        return False

    def retried(self, act: Callable[[], _Answer]) -> _Answer:
        """Do something, and again with what a keyring knows of each host that demanded a login.

        Raises:
            LoginError: A host refuses all that is known.
        """
        try:
            return act()
        except LoginError as error:
            if not self.ask(error.url):
                raise
        return self.retried(act)  # each host is asked for once, so this ends

    def by_host(self) -> dict[str, Credential]:
        """Those of single hosts that have a user name and password, for tools that are told all at once."""
        said = ((host, item.basic(host)) for host, item in self._known.items() if "*" not in host)
        return {host: item for host, item in said if item is not None}


def load(environ: Mapping[str, str] | None = None, logins: Sequence[Login] = ()) -> Credentials:
    """The credentials of this client; where two places name one host, the first of these decides.

    `ENVTAG_CREDENTIALS`, the logins of a spec, the variables of pip and uv, the file that rattler and pixi keep.

    Args:
        environ: The variables; the process's own otherwise.
        logins: How specs say to log in.

    Raises:
        FatalError: A variable or the file is malformed; nothing of it is shown.
    """
    variables = os.environ if environ is None else environ
    found: dict[str, Credential] = {}
    missing: dict[str, Sequence[str]] = {}
    for url in variables.get(VARIABLE, "").split():
        host, credential = _of_url(url)
        if credential is None:
            raise FatalError(f"{VARIABLE} holds a URL without a user name", "write `https://USER:PASSWORD@HOST`")
        found.setdefault(host, credential)
    for login in logins:
        texts = (login.username, login.password)
        named = dict.fromkeys(name for text in texts for name in _REFERENCE.findall(text))
        unset = [name for name in named if not variables.get(name)]
        if unset:
            missing.setdefault(login.host, unset)
        else:
            username, password = (_REFERENCE.sub(lambda match: variables[match[1]], text) for text in texts)
            found.setdefault(login.host, Credential(username=username, password=password))
    for host, credential in (*_of_others(variables), *_of_rattler(variables)):
        found.setdefault(host, credential)
    return Credentials(found, {host: names for host, names in missing.items() if host not in found})


def split_credential(url: str) -> tuple[str, Credential | None]:
    """A URL without its user name and password, and these; None where it has none (a mirror's may have some)."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, Credential(username=unquote(parts.username), password=unquote(parts.password or ""))


def login_hint(host: str, missing: Sequence[str] = ()) -> str:
    """How to log in at a host, in one line."""
    if missing:
        return f"the spec logs in there by {', '.join(f'`{name}`' for name in missing)}: set what is not set"
    name = host.partition(":")[0]
    return (
        f"log in by a line `machine {name} login USER password PASSWORD` in ~/.netrc, by a keyring, "
        f"or by `{VARIABLE}=https://USER:PASSWORD@{host}`"
    )


def _untold(host: str, known: Credential | None) -> str:
    """That a token is known and was not shown, since the program that asked sends none; empty where it was."""
    if known is None or known.basic(host) is not None:
        return ""
    kind = "bearer token" if known.bearer else "conda token"
    return (
        f"a {kind} is known for `{host}`, and uv and pip send user name and password alone: "
        f"`{VARIABLE}=https://USER:TOKEN@{host}`, with the user name that it documents for tokens"
    )


def _of_url(url: str) -> tuple[str, Credential | None]:
    try:
        return host_of(url), split_credential(url)[1] if host_of(url) else None
    except ValueError:
        raise FatalError(f"{VARIABLE} holds a malformed URL", "write `https://USER:PASSWORD@HOST`") from None


def _of_others(variables: Mapping[str, str]) -> Iterator[tuple[str, Credential]]:
    for variable in _OF_OTHERS:
        for word in variables.get(variable, "").split():
            name, sign, rest = word.partition("=")
            named = sign and name.replace("-", "").replace("_", "").isalnum()
            try:
                host, credential = _of_url(rest if named else word)
            except FatalError:  # whoever reads this variable will say so
                continue
            if credential is None and named:
                stem = f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
                user, password = variables.get(f"{stem}_USERNAME", ""), variables.get(f"{stem}_PASSWORD", "")
                credential = Credential(username=user, password=password) if user or password else None
            if credential is not None:
                yield host, credential


def _of_rattler(variables: Mapping[str, str]) -> Iterator[tuple[str, Credential]]:
    """What `rattler auth login` and `pixi auth login` wrote to a file; tokens for object stores are not for us."""
    named = variables.get("RATTLER_AUTH_FILE")
    home = variables.get("HOME") or variables.get("USERPROFILE")
    path = Path(named) if named else Path(home or "~", ".rattler", "credentials.json")
    try:
        document: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise FatalError(f"`{path}` cannot be read as rattler's credentials: {type(error).__name__}") from None
    for host, entry in document.items() if isinstance(document, dict) else ():
        credential = _rattler_entry(entry)
        if credential is not None and "://" not in host:
            yield host.lower(), credential


def _rattler_entry(entry: Any) -> Credential | None:
    if not isinstance(entry, dict):
        return None
    if isinstance(entry.get("BearerToken"), str):
        return Credential(bearer=entry["BearerToken"])
    if isinstance(entry.get("CondaToken"), str):
        return Credential(conda_token=entry["CondaToken"])
    basic = entry.get("BasicHTTP")
    if isinstance(basic, dict) and isinstance(basic.get("username"), str) and isinstance(basic.get("password"), str):
        return Credential(username=basic["username"], password=basic["password"])
    return None


def _from_keyring(url: str) -> Credential | None:
    """User and password from a keyring, by the server's URL or its name as pip asks for them; None where it has none.

    The `keyring` package is used where it is installed; whatever keeps its backend from answering is as no answer.
    What rattler and pixi keep in a keyring is under its own service.
    """
    import importlib

    try:
        keyring: Any = importlib.import_module("keyring")
    except ImportError:
        return None
    parts = urlsplit(url)
    host = host_of(url)
    try:
        for service in (f"{parts.scheme}://{host}", host):
            found = keyring.get_credential(service, parts.username)
            if found is not None:
                return Credential(username=found.username, password=found.password)
        kept = keyring.get_password("rattler", host)
        return _rattler_entry(json.loads(kept)) if kept else None
    except Exception:  # noqa: BLE001 - of any backend; the server's refusal is what is told
        return None
