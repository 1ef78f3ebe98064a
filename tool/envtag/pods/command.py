"""What a pod runs, as shell commands: text that goes through `bash -c "…"`, YAML, and templates of schedulers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pods.inlining import inlined
from envtag.pods.plain_get import below
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.pods.runtime import Part

#: Where a pod keeps what is envtag's: beside the directory that Metaflow unpacks its code in, and not in it.
HOME = "$ENVTAG_POD"
#: Scheme of a store's URL to what fetches from it.
_PROGRAMS = {"s3": "s3_get", "gs": "gs_get", "az": "az_get"}
_PLACE = "export ENVTAG_POD=$(pwd)/.envtag"
_FOUND = f"export PYTHONPATH={HOME}/lib${{PYTHONPATH:+:$PYTHONPATH}}"
#: Double quotes and backticks end the quoting that commands are put in; schedulers substitute braces in theirs.
_HOSTILE = re.compile(r"[\"'`\\\x00-\x1f\x7f]|\{\{|\}\}|\{%|%\}|\{#|#\}|\$")


def word(text: str) -> str:
    """A value as one word of a command.

    Args:
        text: An alias, an id, a URL or a path.

    Raises:
        FatalError: It has a character that would not reach the pod as it is.
    """
    found = _HOSTILE.search(text)
    if found is not None:
        raise FatalError(
            f"{shown(text)} cannot be passed to another machine: it contains {shown(found[0])}",
            "quotes, backslashes, dollar signs, control characters and doubled braces are taken for something else",
        )
    return shlex.quote(text)


def prelude(store: str, bundle: Part, default: str) -> str:
    """The command that gives a pod's own Python what Metaflow and envtag import, from the store and without an index.

    Where that cannot be, Metaflow's own command is run in its place, which asks an index. With Google's and Azure's
    stores it is run first: what Metaflow asks them by is compiled for one Python each.

    Args:
        store: URL of the store.
        bundle: The archive of pure Python in it.
        default: Metaflow's own command.

    Raises:
        FatalError: The URL has a character that would not reach the pod as it is.
    """
    begun = f"{_PLACE} && mkdir -p {HOME}"
    get = _get(store, bundle)
    if not store.startswith("s3:"):
        return f"{begun} && {default} && {get} && {_FOUND}"
    other = "mflog 'envtag: what tasks need was not had from the store: asking the package index'"
    return f"{begun} && if {get}; then {_FOUND}; else {other}; {default}; fi"


def short_prelude(store: str, bundle: Part) -> str:
    """The same where commands have to be short, as on AWS Batch: a smaller program, and nothing in its place.

    Args:
        store: URL of the store.
        bundle: The archive of pure Python in it.

    Raises:
        FatalError: The URL has a character that would not reach the pod as it is.
    """
    scheme, _, place = store.partition("://")
    if scheme != "s3":
        return f"{_PLACE} && {_get(store, bundle)} && {_FOUND}"
    bucket, _, prefix = place.partition("/")
    return f"{_PLACE} && {_fetched('job_get', bucket, below(prefix, bundle.key), bundle)} && {_FOUND}"


def _get(store: str, bundle: Part) -> str:
    """The command that fetches the bundle from a store and unpacks it."""
    return _fetched(_PROGRAMS[store.partition("://")[0]], store, bundle.key, bundle)


def _fetched(program: str, place: str, key: str, bundle: Part) -> str:
    return f"python {inlined(program)} {word(place)} {word(key)} {bundle.sha256} {HOME}/lib"


def hydration(store: str, runtimes: Mapping[str, str]) -> str:
    """The command that makes a task's environment, up to what differs from step to step; see `bootstrap.Order`.

    Args:
        store: URL of the store.
        runtimes: Platform to SHA-256 of the document that says what its pods need.

    Raises:
        FatalError: The URL has a character that would not reach the pod as it is.
    """
    options = [f"--runtime {word(f'{platform}={digest}')}" for platform, digest in sorted(runtimes.items())]
    return " ".join([f"python -m envtag.pods --store {word(store)} --home {HOME}", *options])
