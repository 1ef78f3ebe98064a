"""What a failed uv means: no solution, an index that cannot be read, or something that is shown as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envtag.credentials import LoginError
from envtag.engines.explain import Stated, explanation, mentions, named_in, trim
from envtag.errors import FatalError, UnsolvableError
from envtag.urls import Mirrors, host_of, without_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envtag.engines import PypiProblem
    from envtag.util.process import Completed

_UNSOLVABLE = ("No solution found when resolving", "conflicting URLs for package")
_URL = re.compile(r"(?:Failed to fetch: |for url \(|Failed to download )`?((?:https?|file)://[^\s`)]+)")

_UNREACHABLE = "check the network, the proxy variables, the index's URL, and the mirrors in ENVTAG_MIRRORS"
_UNTRUSTED = (
    "its certificate is signed by nobody who is trusted here: `SSL_CERT_FILE=FILE` adds authorities, and "
    "`UV_SYSTEM_CERTS=1` takes those of this machine"
)
_ANY_URL = re.compile(r"https?://[^\s`)]+")
_LOGIN = (
    re.compile(r"An index URL \((?P<url>[^)\s]+)\) could not be queried .*\((?P<status>401) "),
    re.compile(r"An index \((?P<url>[^)\s]+)\) returned a (?P<status>403) "),
    re.compile(r"\((?P<status>40[13]) [^)]*\) for url \((?P<url>[^)\s]+)\)"),
)


def failed(
    done: Completed, problem: PypiProblem, mirrors: Mirrors, stubs: Mapping[str, str], scratch: str
) -> FatalError:
    """The error for a `uv pip compile` that failed.

    Args:
        done: The finished process.
        problem: What it was to solve.
        mirrors: Whose URLs are shown as canonical ones.
        stubs: URL of a stub wheel to what a person should read in its place.
        scratch: The directory of uv's input, which is of no interest to a person.
    """
    said = _plain(done.stderr.decode("utf-8", "replace"))
    refused = next((match for pattern in _LOGIN if (match := pattern.search(said))), None)
    if refused is not None:
        missing = problem.credentials.missing.get(host_of(refused["url"]), ())
        known = problem.credentials.of(refused["url"])
        return LoginError("the PyPI index at", refused["url"], int(refused["status"]), missing, known=known)
    if any(mark in said for mark in _UNSOLVABLE):
        said = _ANY_URL.sub(lambda match: mirrors.canonical_url(match.group()), said)
        return unsolvable(said, problem, {**stubs, f"{scratch}/": ""})
    unreachable = _URL.search(said)
    if unreachable:
        return unreachable_index(unreachable.group(1), said)
    first = next((line for line in said.splitlines() if line.strip()), f"uv ended with {done.returncode}")
    return FatalError(
        f"uv could not resolve the PyPI packages for `{problem.platform}`: {first.removeprefix('error: ').rstrip('.')}",
        "the cause is in uv's own words above",
        trim(said.replace(f"{scratch}/", "")),
    )


def unsolvable(said: str, problem: PypiProblem, replace: Mapping[str, str]) -> UnsolvableError:
    """The error for a solver's explanation: with what was asked, what conda brings and what is locked."""
    requested = [
        Stated(name=item.name, text=f"`{item.text}`", source=str(item.origin) if item.origin.file else "request")
        for item in problem.requirements
    ]
    provided = [
        Stated(name=dist.name, text=f"conda package `{dist.by}`", source=f"`{dist.name} {dist.version}`")
        for dist in problem.provided
    ]
    locked = [Stated(name=item.name, text=f"`{item}`", source="base") for item in problem.pinned]
    said = said.replace("No solution found when resolving dependencies", "").lstrip(" :\n")
    parts = {"asked for by": requested, "brought by conda": provided, "locked": locked}
    detail = explanation(said, parts, replace)
    blamed = frozenset(item.name for item in problem.kept if mentions(said, item.name))
    conda, base = named_in(said, provided), named_in(said, locked)
    if conda:
        return _conflict(conda, named_in(said, requested), problem, detail, blamed)
    if base:
        listed = ", ".join(item.text for item in base[:3])
        return UnsolvableError(
            f"what is asked for cannot be added on `{problem.platform}`: locked {listed} of the base "
            f"{'stands' if len(base) == 1 else 'stand'} against it",
            "the base's packages are kept exactly: relax the new requirement, or extend a newer release of the base",
            detail,
        )
    return UnsolvableError(
        f"no set of PyPI packages satisfies the request on `{problem.platform}`",
        "relax one of the requirements that are named above",
        detail,
        blamed,
    )


def _conflict(
    conda: Sequence[Stated],
    requested: Sequence[Stated],
    problem: PypiProblem,
    detail: str,
    blamed: frozenset[str],
) -> UnsolvableError:
    """PyPI wants what conda does not bring: both sides in one line, the very dist's requirement if there is one."""
    names = {item.name for item in conda}
    direct = [item for item in requested if item.name in names]
    about = next(item for item in conda if not direct or item.name == direct[0].name)
    wanted = direct or list(requested)
    pypi = f"{wanted[0].text} ({wanted[0].source})" if wanted else "what is asked of PyPI"
    return UnsolvableError(
        f"{pypi} from PyPI does not go with {about.text} on `{problem.platform}`",
        "take both from the same world, or relax one side",
        detail,
        blamed,
    )


def unreachable_index(url: str, said: str) -> FatalError:
    """The error for an index that does not answer."""
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or parts.path
    shown = "\n".join(line for line in said.splitlines() if not line.startswith("hint:"))  # of options that uv has
    return FatalError(
        f"the PyPI index at `{host}` cannot be read",
        _UNTRUSTED if "invalid peer certificate" in said else _UNREACHABLE,
        trim(_ANY_URL.sub(lambda match: without_credentials(match.group()), shown)),
    )


def _plain(text: str) -> str:
    """The stderr of uv without warnings and without the words that lead each paragraph of an error."""
    kept: list[str] = []
    skipping = False
    for line in text.splitlines():
        if line.startswith(("error:", "warning:", "hint:")):
            skipping = line.startswith("warning:")
        if not skipping:
            kept.append(re.sub(r"^(?: {9}| *(?:cause: |error: ))", "", line))
    return "\n".join(kept).strip()
