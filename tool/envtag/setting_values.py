"""Values of settings that are more than text: names of spec files, of extras, engines, and URLs of stores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from envtag.errors import FatalError
from envtag.urls import check_public
from envtag.util.pattern import pattern
from envtag.util.text import shown
from envtag.util.yaml_text import scalar

STORE_SCHEMES = ("file", "s3", "gs", "az")
_RESERVED = pattern(r"envtag\.yml|tags\.yml|[a-z0-9-]+-lock\.yml", re.IGNORECASE)
#: The key with its value, which may go on in further lines.
_ENGINE_LINES = re.compile(r"^engine:.*\n?(?:(?:[ ]+|-[ ]).*\n?)*", re.MULTILINE)
_EXTRA = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_UNPORTABLE = pattern(r'[\\:*?"<>|\x00-\x1f]')


def check_store(url: str) -> str:
    """Return the URL of a store without a trailing slash, or refuse it.

    Raises:
        FatalError: It is not an absolute URL of a known scheme, or holds a credential.
    """
    schemes = ", ".join(f"`{name}://`" for name in STORE_SCHEMES)
    if "://" not in url:
        raise FatalError(
            f"the store `{url}` is not an absolute URL", f"a directory is `file:///path`; known are {schemes}"
        )
    scheme, _, rest = url.partition("://")
    if scheme not in STORE_SCHEMES:
        raise FatalError(f"the store has the unknown scheme `{scheme}`", f"known are {schemes}")
    place, _, path = rest.partition("/")
    if scheme == "file" and (place not in ("", "localhost") or not path.strip("/")):
        raise FatalError(f"the store `{url}` names no absolute directory", "write `file:///path`, with three slashes")
    if scheme != "file" and not place:
        raise FatalError(f"the store `{url}` names no bucket", f"write `{scheme}://BUCKET/PREFIX`")
    check_public(url, "store")
    return url.rstrip("/")


def check_spec_name(text: str) -> str:
    """Return the name of a file that an environment's directory can keep, on every system, or refuse it.

    Raises:
        FatalError: It is not below the directory, not portable, or one of envtag's own.
    """
    path = PurePosixPath(text)
    if str(path) != text or path.is_absolute() or ".." in path.parts or text == "." or _UNPORTABLE.search(text):
        raise FatalError(f"`{text}` is not a file of the environment's directory", "name it relative to `envtag.yml`")
    if _RESERVED.fullmatch(text):
        raise FatalError(f"`{text}` is a file that envtag writes", "give the spec another name")
    return text


def check_extra(text: str) -> str:
    """Return the name of an extra or a dependency group, or refuse it.

    Raises:
        FatalError: It is none (PEP 685, PEP 735).
    """
    if not _EXTRA.fullmatch(text):
        raise FatalError(f"{shown(text)} is not the name of an extra or a group", "letters, digits, `-`, `_` and `.`")
    return text


def with_engines(data: bytes, engines: Sequence[str]) -> bytes:
    """The bytes of an `envtag.yml` with other engines; every other line, comments too, is as it was.

    Args:
        data: A file that `EnvironmentSettings.parse` reads.
        engines: The solvers in place of the default ones; none for these.
    """
    text = _ENGINE_LINES.sub("", data.decode())
    if not engines:
        return text.encode()
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{ended}engine: {flow(engines[0] if len(engines) == 1 else tuple(engines))}\n".encode()


def flow(value: str | tuple[str, ...]) -> str:
    """A text, or a list of texts in one line, as YAML."""
    return scalar(value) if isinstance(value, str) else f"[{', '.join(scalar(item) for item in value)}]"
