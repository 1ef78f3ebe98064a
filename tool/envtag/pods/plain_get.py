"""An archive fetched and unpacked by the standard library alone: what `s3_get`, `gs_get` and `az_get` have in common.

The text of these files travels in a shell command (`inlining`), so it is short, and says in any Python 3.6 or newer, in
one line, what is wrong.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import ssl
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

env = os.environ
TRIES = 5
PAUSE = 0.3


class Refused(Exception):  # noqa: N818 - a short name: the text is short
    """What ends the program, in words."""


def opened(near: bool = False) -> OpenerDirector:  # noqa: FBT002 - called here only
    """What asks, and trusts whom variables say; `near` is for what is beside the machine, with no proxy between."""
    trusted = ssl.create_default_context(cafile=env.get("AWS_CA_BUNDLE") or env.get("REQUESTS_CA_BUNDLE"))
    return build_opener(HTTPSHandler(context=trusted), *([ProxyHandler({})] if near else []))


def ask(
    url: str,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    near: int = 0,
    method: str | None = None,
) -> bytes:
    """The body of an answer; of what is beside the machine it is waited for `near` seconds, of all else for 60."""
    asked = Request(url, data, dict(headers or {}), method=method)
    with opened(near > 0).open(asked, timeout=near or 60) as answer:
        body: bytes = answer.read()
        return body


def below(prefix: str, key: str) -> str:
    """The name of an object below a store's prefix."""
    return "/".join(part for part in (prefix.strip("/"), key) if part)


def no_other(secrets: Any, headers: Any) -> Any:
    """Where else an object is, by the headers of a refusal: nowhere."""
    del secrets, headers


def everything(names: list[str]) -> list[str]:
    """Which members of an archive are unpacked: all."""
    return names


def fetch(
    credentials: Callable[[str], Any],
    request: Callable[..., tuple[str, dict[str, str]]],
    elsewhere: Callable[[Any, Any], Any],
    store: str,
    key: str,
    sha256: str,
) -> bytes:
    """The bytes of an object, held to their hash; asked for again where that may help."""
    secrets = credentials(store)
    said = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt * attempt)
        try:
            data = ask(*request(store, key, secrets))
            got = hashlib.sha256(data).hexdigest()
            if got == sha256:
                return data
            said = f"it has other bytes than it should: sha256 {got}, not {sha256}"
        except HTTPError as error:
            said = f"the server says {error.code} {error.reason}"
            there = elsewhere(secrets, error.headers)
            if there:
                secrets = there
            elif error.code < 500 and error.code != 429:  # noqa: PLR2004 - what the status codes mean
                break
        except Exception as error:  # noqa: BLE001 - a broken answer has many kinds
            said = f"no answer: {error!r}"
    raise Refused(f"it cannot be fetched: {said}")


def main(
    credentials: Callable[[str], Any],
    request: Callable[..., tuple[str, dict[str, str]]],
    elsewhere: Callable[[Any, Any], Any],
    wanted: Callable[[list[str]], list[str]],
    store: str,
    key: str,
    sha256: str,
    target: str,
) -> None:
    """Unpack an archive of a store into a directory, which is there whole or not at all."""
    if sys.version_info < (3, 10):
        raise Refused("this image has Python {}.{}, and envtag needs 3.10 or newer".format(*sys.version_info))
    staged = f"{target}.{os.getpid()}.{time.time()}"
    if os.path.isdir(target):
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(fetch(credentials, request, elsewhere, store, key, sha256)))
        archive.extractall(staged, wanted(archive.namelist()))
        try:
            os.rename(staged, target)
        except OSError:
            if not os.path.isdir(target):
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def run(
    credentials: Any, request: Any, arguments: list[str], elsewhere: Any = no_other, wanted: Any = everything
) -> Any:
    """The program: nothing where all went well, or one line for `sys.exit`.

    Args:
        credentials: Gives who asks, for a store.
        request: Gives URL and headers for a store, a key and who asks.
        arguments: Store, key, SHA-256 and directory.
        elsewhere: Gives who asks for it where it really is, if a refusal's headers say so.
        wanted: Gives which members of the archive are unpacked.
    """
    try:
        return main(credentials, request, elsewhere, wanted, *arguments)
    except Exception as error:  # noqa: BLE001 - a part of a shell command says one line, whatever it is
        return f"envtag: {arguments[0]}/{arguments[1]}: {error if isinstance(error, Refused) else repr(error)}"
