"""Where a registry is: what its address says, without secrets, and the same text for the same place."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from envtag.errors import FatalError
from envtag.util.pattern import pattern

_SCP = pattern(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^/:\\]{2,}):(?P<path>(?!//).+)")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}


class Address(NamedTuple):
    """The address of a remote repository.

    Attributes:
        url: What git is given: no user and no password for HTTP, as written otherwise.
        settings: Git configuration that puts the credentials back, for git's environment alone.
        secrets: Texts that no message may show.
    """

    url: str
    settings: dict[str, str]
    secrets: tuple[str, ...]


def is_url(text: str) -> bool:
    """Whether git would go to another machine, or through `file://`, for an address; a path otherwise."""
    return "://" in text or re.match(r"\w+::", text) is not None or _SCP.fullmatch(text) is not None


def parse_address(url: str) -> Address:
    """Divide a git URL from the credentials in it.

    Raises:
        FatalError: It is malformed.
    """
    if any(letter.isspace() or not letter.isprintable() for letter in url) or url.startswith("-"):
        raise FatalError("the registry's URL holds a blank or begins with `-`", "write it as `git clone` takes it")
    parts = _split(url)
    if parts is None or parts.username is None or parts.scheme not in ("http", "https"):
        return Address(url=url, settings={}, secrets=())
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    texts = [parts.password] if parts.password else [parts.username]
    secrets = {text for text in (*texts, *map(unquote, texts)) if text}
    return Address(url=bare, settings={f"url.{url}.insteadOf": bare}, secrets=tuple(sorted(secrets)))


def identity_of(url: str, base: Path) -> str:
    """A stable text for a repository, whichever way it is reached.

    Args:
        url: A git URL, or a path.
        base: What a relative path is relative to.

    Returns:
        `HOST[:PORT]/PATH` for a URL (ssh and https of one host are one place), `file:PATH` for a path; without
        credentials, a trailing `/` or a trailing `.git`.
    """
    parts = _split(url)
    if parts is not None and parts.scheme == "file":
        return _path_identity(Path(unquote(parts.path)))
    if parts is not None and parts.netloc:
        user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username not in (None, "git") else ""
        port = f":{parts.port}" if parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme)) else ""
        return _trimmed(f"{user}{(parts.hostname or '').lower()}{port}/{unquote(parts.path).lstrip('/')}")
    scp = _SCP.fullmatch(url)
    if scp is not None and parts is None:
        user = f"{scp['user']}@" if scp["user"] not in (None, "git") else ""
        return _trimmed(f"{user}{scp['host'].lower()}/{scp['path'].lstrip('/')}")
    return _path_identity(base / Path(url).expanduser())


def _path_identity(path: Path) -> str:
    return _trimmed(f"file:{os.path.realpath(path)}")


def _trimmed(text: str) -> str:
    return text.rstrip("/").removesuffix(".git").rstrip("/")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None for a path or `host:path`."""
    if "://" not in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise FatalError(f"the registry's URL is malformed: {error}", "write it as `git clone` takes it") from error
    return parts
