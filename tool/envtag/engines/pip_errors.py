"""What a failed pip-compile means: no solution, an index that cannot be read, or something that is shown as it is."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from envtag.credentials import LoginError
from envtag.engines.explain import trim
from envtag.engines.uv_errors import unreachable_index, unsolvable
from envtag.errors import FatalError
from envtag.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envtag.engines import PypiProblem
    from envtag.urls import Mirrors
    from envtag.util.process import Completed

_UNSOLVABLE = (
    "Cannot install", "Could not find a version", "No matching distribution", "ResolutionImpossible",
    "conflicting dependencies",
)  # fmt: skip
_UNREACHABLE = re.compile(
    r"Max retries exceeded|Failed to establish a new connection|Connection refused|NewConnectionError|"
    r"connection broken by|Could not fetch URL|5\d\d Server Error"
)
_REFUSED = re.compile(r"(?P<status>40[13]) Client Error: .* for url: (?P<url>[^\s]+)")
_ANY_URL = re.compile(r"https?://[^\s`)'\"]+")
_CAUSE = re.compile(r"^ *The conflict is caused by:\n(?: +\S.*\n)+", re.MULTILINE)
_NOISE = re.compile(
    r"^\s*(?:WARNING|DEPRECATION|Looking in|Using indexes|ROUND|Downloading|Collecting|\[notice\]"
    r"|\[RequirementInformation|pip\._|ResolutionImpossible)"
)


def failed(done: Completed, problem: PypiProblem, mirrors: Mirrors, replace: Mapping[str, str]) -> FatalError:
    """The error for a pip-compile that failed.

    Args:
        done: The finished process.
        problem: What it was to solve.
        mirrors: Whose URLs are shown as canonical ones.
        replace: Text in its output to what a person should read in its place.
    """
    text = done.stderr.decode("utf-8", "replace")
    cause = _CAUSE.search(done.stdout.decode("utf-8", "replace"))
    if cause is not None:
        text = f"{text}\n{textwrap.dedent(cause.group())}"
    said = _ANY_URL.sub(lambda match: mirrors.canonical_url(match.group()), text)
    for found, wanted in replace.items():
        said = said.replace(found, wanted)
    lines = [line for line in _without_traceback(said).splitlines() if not _NOISE.match(line)]
    plain = "\n".join(re.sub(r"^\s*ERROR: ", "", line) for line in lines).strip()
    refused = _REFUSED.search(text)
    if refused is not None:
        missing = problem.credentials.missing.get(host_of(refused["url"]), ())
        known = problem.credentials.of(refused["url"])
        return LoginError("the PyPI index at", refused["url"], int(refused["status"]), missing, known=known)
    if _UNREACHABLE.search(text):
        asked = _ANY_URL.search(text)
        url = asked.group() if asked else mirrors.fetch_url(problem.index_url) or "the default index"
        return unreachable_index(url, plain or said)
    if any(mark in text for mark in _UNSOLVABLE):
        return unsolvable(plain, problem, {})
    first = next((line for line in plain.splitlines() if line.strip()), f"it ended with {done.returncode}")
    return FatalError(
        f"pip-compile could not resolve the PyPI packages for `{problem.platform}`: {first.rstrip('.')}",
        "the cause is in its own words above",
        trim(plain),
    )


def _without_traceback(text: str) -> str:
    """What pip-compile says beside Python's traceback, whose last line is the error itself."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line and not line.startswith((" ", "\t")):
            inside = False
        if not inside and not line.startswith(("The above exception", "During handling of")):
            kept.append(re.sub(r"^[\w.]+(?:Exception|Error|Impossible|NotFound): ", "", line))
    return "\n".join(kept)
