"""URLs that may be written down: canonical, free of credentials, the same behind any mirror."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from envtag.errors import FatalError
from envtag.util.pattern import pattern
from envtag.util.text import shown

CONDA_ALIAS = "https://conda.anaconda.org"
#: The name of the default PyPI index among mirrors.
DEFAULT_INDEX = "pypi"
_TOKEN = pattern(r"/t/[^/]+(/|$)")
_SECRET_KEYS = pattern(
    r"^(x-amz-.*|x-goog-.*|awsaccesskeyid|signature|sig|se|sp|sv|token|access_token|api_?key|password|auth|key)$",
    re.IGNORECASE,
)
_GIT_SCHEMES = ("https", "http", "ssh", "file")
_SUBDIRECTORY = pattern(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_REVISION = pattern(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
COMMIT = pattern(r"[0-9a-f]{40}\Z")
_CHANNEL_NAME = pattern(r"^[a-zA-Z0-9][a-zA-Z0-9._-]*(/label/[a-zA-Z0-9._-]+)?(/[a-zA-Z0-9._-]+)*$")


def check_public(url: str, what: str) -> str:
    """Return a URL as it is if it holds no credential, or refuse it.

    Args:
        url: An absolute URL.
        what: What the URL is of, for the message (`index`, `package numpy`).

    Raises:
        FatalError: It is no absolute URL, or holds user information, a `/t/TOKEN/` segment or a signed query; the
            message does not show it.
    """
    parts = _split(url, what)
    if " " in url or not url.isprintable():
        raise FatalError(f"the URL of {what} at `{parts.hostname or parts.scheme}` has a blank or control character")
    by_ssh = parts.scheme.removeprefix("git+") == "ssh"  # its user (`git@`) says where to log in, and is no secret
    if parts.password is not None or (parts.username is not None and not by_ssh):
        found = "a user name or password"
    elif parts.scheme.removeprefix("git+") != "file" and _TOKEN.search(parts.path):
        found = "a `/t/…/` token"
    elif any(_SECRET_KEYS.match(key) for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        found = "a signed or secret query string"
    else:
        return url
    raise FatalError(
        f"the URL of {what} at `{parts.hostname or parts.scheme}` holds {found}, which must not be stored",
        "give the bare URL; credentials come from netrc, a keyring or the environment when it is fetched",
    )


def strip_fragment(url: str) -> str:
    """A URL without its `#fragment` (hashes that indices append)."""
    return url.partition("#")[0]


def channel_url(channel: str) -> str:
    """The canonical base URL of a channel, without a trailing slash (`conda-forge` → `https://…/conda-forge`).

    Raises:
        FatalError: It is neither a channel name nor a URL free of credentials.
    """
    if "://" in channel:
        return check_public(channel, "channel").rstrip("/")
    if not _CHANNEL_NAME.fullmatch(channel):
        raise FatalError(
            f"{shown(channel.rpartition('@')[2])} is neither a channel name nor a URL",
            "for example `conda-forge`, or `https://host/path`",
        )
    return f"{CONDA_ALIAS}/{channel}"


def channel_name(url: str) -> str:
    """The short name of a canonical channel URL where it has one, the URL itself otherwise."""
    bare = url.rstrip("/")
    return bare[len(CONDA_ALIAS) + 1 :] if bare.startswith(f"{CONDA_ALIAS}/") else bare


class GitUrl(NamedTuple):
    """What a `git+…` URL names (pip's form: `git+https://host/repository@REVISION#subdirectory=directory`).

    Attributes:
        repository: Where it is cloned from, without `git+`.
        revision: Branch, tag or commit; empty for the default branch.
        subdirectory: Where in the repository the package lies, empty for its top.
    """

    repository: str
    revision: str = ""
    subdirectory: str = ""

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        subdirectory = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"git+{self.repository}{revision}{subdirectory}"


def parse_git(url: str) -> GitUrl | None:
    """What a `git+…` URL names; None for a URL of another kind.

    Raises:
        FatalError: It is malformed: another transport, a revision or a subdirectory that cannot be one.
    """
    if not url.startswith("git+"):
        return None
    head, _, fragment = url.removeprefix("git+").partition("#")
    parts = _split(head, "git repository")
    path, _, revision = parts.path.partition("@")
    shown_url = without_credentials(head)
    if parts.scheme not in _GIT_SCHEMES:
        listed = ", ".join(f"`git+{name}`" for name in _GIT_SCHEMES[:3])
        raise FatalError(f"`git+{parts.scheme}` URLs cannot be fetched", f"one of {listed}")
    if parts.query:
        raise FatalError(f"`{shown_url}` has a query, which is not understood", "a repository is named by its bare URL")
    if "@" in parts.path and not _is_revision(revision):
        raise FatalError(f"`{shown_url}` names no branch, tag or commit after its `@`", "write `@v1.0`, for example")
    name, _, subdirectory = fragment.partition("=")
    if fragment and (
        name != "subdirectory" or not _SUBDIRECTORY.fullmatch(subdirectory) or ".." in subdirectory.split("/")
    ):
        raise FatalError(f"{shown('#' + fragment)} of `{shown_url}` is not understood", "`#subdirectory=DIRECTORY` is")
    repository = urlunsplit(SplitResult(parts.scheme, parts.netloc, path, "", ""))
    return GitUrl(repository=repository, revision=revision, subdirectory=subdirectory)


def _is_revision(text: str) -> bool:
    return _REVISION.fullmatch(text) is not None and ".." not in text and not text.endswith((".lock", "/", "."))


class Mirrors(NamedTuple):
    """A client's own map of canonical URL prefixes to where it really fetches; never part of a lock.

    Attributes:
        pairs: Canonical and mirror prefix, both without a trailing slash, longest canonical first.
        default_index: Where the default PyPI index is really asked, which has no URL here; empty for itself.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    default_index: str = ""

    @classmethod
    def parse(cls, text: str, table: Mapping[str, str] | None = None) -> Mirrors:
        """Read `CANONICAL=MIRROR` pairs divided by blanks, and a table of more; the text wins over the table.

        The canonical name `pypi` is that of the default PyPI index.

        Raises:
            FatalError: A pair is not two absolute URLs.
        """
        merged = dict(table or {})
        for pair in text.split():
            canonical, sign, mirror = pair.partition("=")
            if not sign:
                raise FatalError(f"`{pair}` in ENVTAG_MIRRORS is not CANONICAL=MIRROR")
            merged[canonical] = mirror
        default = merged.pop(DEFAULT_INDEX, "").rstrip("/")
        for url in (*merged, *merged.values(), *filter(None, (default,))):
            _split(url, "mirror")
        pairs = {canonical.rstrip("/"): mirror.rstrip("/") for canonical, mirror in merged.items()}
        return cls(tuple(sorted(pairs.items(), key=lambda pair: (-len(pair[0]), pair))), default)

    def fetch_url(self, url: str) -> str:
        """Where to fetch a canonical URL from; a `git+` URL goes where its repository does."""
        return _replace(url, self.pairs)

    def canonical_url(self, url: str) -> str:
        """The canonical URL of one that a mirror answered with."""
        back = [(known, canonical) for canonical, mirror in self.pairs for known in (mirror, _bare(mirror))]
        return _replace(url, tuple(dict.fromkeys(back)))


def file_path(url: str) -> Path | None:
    """The path that a `file://` URL names on this machine; None for another scheme or host, or a relative path."""
    parts = _split(url, "file")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    text = unquote(parts.path)
    path = Path(text[1:] if re.match(r"^/[A-Za-z]:", text) else text)
    return path if path.is_absolute() else None


def host_of(url: str) -> str:
    """`HOST` or `HOST:PORT` of a URL, lower case, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def without_credentials(url: str) -> str:
    """A URL for a message or a log: user information and query are left out."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    netloc = f"{host}:{parts.port}" if parts.port else host
    path = parts.path if parts.scheme == "file" else _TOKEN.sub(r"/t/***\1", parts.path)
    return urlunsplit(SplitResult(parts.scheme, netloc, path, "", ""))


def _bare(url: str) -> str:
    """A mirror's URL as it answers: without the credentials that it is asked with."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _replace(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    git = parse_git(url)
    if git is not None:
        return str(git._replace(repository=_replace(git.repository, pairs)))
    for prefix, replacement in pairs:
        if url == prefix or url.startswith(f"{prefix}/"):
            return replacement + url[len(prefix) :]
    return url


def _split(url: str, what: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text can hold a part of a password
        raise FatalError(f"the URL of {what} is malformed", "write it like `https://host/path`") from None
    if not parts.scheme or (parts.scheme.removeprefix("git+") != "file" and not parts.netloc):
        raise FatalError(f"the {what} {shown(url.rpartition('@')[2])} is not an absolute URL")
    return parts
