"""How uv is told of indices, and who it is there: names of indices in its arguments, secrets in variables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.credentials import split_credential
from envtag.urls import host_of
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from envtag.credentials import Credentials
    from envtag.urls import Mirrors

_NAME = "envtag-{}"


@dataclass(slots=True, kw_only=True)
class Indices:
    """Indices as words of uv's command line, and the variables that go with them.

    Attributes:
        mirrors: Where indices are really fetched from.
        credentials: Who the client is there.
        words: Arguments so far.
        variables: Variables so far.
    """

    mirrors: Mirrors
    credentials: Credentials
    words: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    _count: int = 0

    def add(self, option: str, url: str) -> None:
        """Add `--default-index` or `--index` for a canonical URL."""
        before = len(self.variables)
        name, address = self.named(url)
        self.words += [option, f"{name}={address}" if len(self.variables) > before else address]

    def named(self, url: str) -> tuple[str, str]:
        """A name for an index, by which uv finds its credentials in the variables, and where it really is."""
        address, credential = split_credential(self.mirrors.fetch_url(url))
        name = _NAME.format(self._count)
        self._count += 1
        credential = credential or self.credentials.of(address)
        credential = credential.basic(host_of(address)) if credential is not None else None
        if credential is not None:
            stem = f"UV_INDEX_{name.upper().replace('-', '_')}"
            self.variables[f"{stem}_USERNAME"] = credential.username
            self.variables[f"{stem}_PASSWORD"] = credential.password
        return name, address


def index_words(
    mirrors: Mirrors, credentials: Credentials, *, default: str, extra: Sequence[str] = (), no_index: bool = False
) -> Indices:
    """The indices of a request, in order: those that are asked first, and the default one, which is asked last.

    Args:
        mirrors: Where indices are really fetched from.
        credentials: Who the client is there.
        default: Canonical URL of the index in place of uv's own default, empty for that or for its mirror.
        extra: Canonical URLs of further indices.
        no_index: Ask none.
    """
    indices = Indices(mirrors=mirrors, credentials=credentials)
    if no_index:
        indices.words.append("--no-index")
    if default or (mirrors.default_index and not no_index):
        indices.add("--default-index", default or mirrors.default_index)
    for url in extra:
        indices.add("--index", url)
    return indices


def netrc_for(credentials: Credentials, workspace: Path, own: Path) -> dict[str, str]:
    """The variable for a netrc that has the client's credentials before the user's own lines.

    uv has no other way to be told of hosts that are no index: those of direct URLs and of pages of links. The file
    is the user's alone, and lies in a workspace that is removed.

    Args:
        credentials: Those without a port go into it.
        workspace: A directory that only this user can read.
        own: The user's own netrc.
    """
    known = {host: item for host, item in credentials.by_host().items() if ":" not in host}
    if not known:
        return {}
    lines = [
        f"machine {host} login {_token(item.username)} password {_token(item.password)}\n"
        for host, item in sorted(known.items())
    ]
    text = "".join(lines) + (own.read_text("utf-8", "replace") if own.is_file() else "")
    path = workspace / "netrc"
    write_atomic(path, text.encode(), mode=0o600)
    return {"NETRC": str(path)}


def own_netrc(variables: Mapping[str, str]) -> Path:
    """Where the user's own netrc is, if there is one."""
    named = variables.get("NETRC")
    home = variables.get("HOME") or variables.get("USERPROFILE") or ""
    return Path(named) if named else Path(home, ".netrc")


def _token(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
