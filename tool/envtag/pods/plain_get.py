"""An archive fetched and unpacked by the standard library alone: what `gs_get` and `az_get` have in common.

The text of these files travels in a shell command (`inlining`), so it is short, and says in one line what is wrong.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

env = os.environ
TRIES = 5
PAUSE = 0.3


class Refused(Exception):  # noqa: N818 - a short name: the text is short
    """What ends the program, in words."""


def ask(
    url: str,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    near: bool = False,  # noqa: FBT002 - called here only
) -> bytes:
    """The body of an answer; `near` is for what is beside the machine, with no proxy between."""
    opener = build_opener(*([ProxyHandler({})] if near else []))
    with opener.open(Request(url, data, dict(headers or {})), timeout=5 if near else 60) as answer:
        body: bytes = answer.read()
        return body


def fetch(asking: tuple[str, dict[str, str]], sha256: str) -> bytes:
    """The bytes behind a URL, held to their hash; asked for again where that may help."""
    said = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt * attempt)
        try:
            data = ask(*asking)
            got = hashlib.sha256(data).hexdigest()
            if got == sha256:
                return data
            said = f"it has other bytes than it should: sha256 {got}, not {sha256}"
        except HTTPError as error:
            said = f"the server says {error.code} {error.reason}"
            if error.code < 500 and error.code != 429:  # noqa: PLR2004 - what the status codes mean
                break
        except Exception as error:  # noqa: BLE001 - a broken answer has many kinds
            said = f"no answer: {error!r}"
    raise Refused(f"it cannot be fetched: {said}")


def main(
    credentials: Callable[[str], Any],
    request: Callable[..., tuple[str, dict[str, str]]],
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
        data = fetch(request(store, key, credentials(store)), sha256)
        zipfile.ZipFile(io.BytesIO(data)).extractall(staged)
        try:
            os.rename(staged, target)
        except OSError:
            if not os.path.isdir(target):
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def run(credentials: Any, request: Any, arguments: list[str]) -> Any:
    """The program: nothing where all went well, or one line for `sys.exit`."""
    try:
        return main(credentials, request, *arguments)
    except Exception as error:  # noqa: BLE001 - a part of a shell command says one line, whatever it is
        return f"envtag: {arguments[0]}/{arguments[1]}: {error if isinstance(error, Refused) else repr(error)}"
