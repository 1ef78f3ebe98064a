"""PyPI requirements (PEP 508) in one canonical text, the same under every version of `packaging`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from envtag.platforms import PLATFORMS
from envtag.request import Origin, PypiRequirement
from envtag.spec.model import MalformedError, located
from envtag.urls import check_public, parse_git
from envtag.util.pattern import pattern
from envtag.util.text import shown
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from packaging.markers import Marker

_EXAMPLES = "write it like `requests>=2.31`, `requests[socks]`, `name @ https://…/name-1.0-py3-none-any.whl` or `name @ git+https://…@v1`"
_QUOTED = pattern(r"\"[^\"]*\"|'[^']*'")
_PATH = pattern(r"\.{0,2}[/\\]|~[/\\]|[A-Za-z]:[/\\]|\.{1,2}(\[|$)|file:")
_SHA256_FRAGMENT = re.compile(r"(sha256=[0-9a-f]{64})?")


def parse_requirement(
    text: str, origin: Origin, *, constraint: bool = False, platforms: frozenset[str] | None = None
) -> PypiRequirement:
    """One requirement, without a comment.

    Args:
        text: The requirement.
        origin: Where it was written.
        constraint: Whether it stands in a constraints file.
        platforms: The platforms that its selector means, or None for all.

    Raises:
        FatalError: It is malformed, or of a kind that cannot be locked; names file, line, text and reason.
    """
    with located(origin, text):
        name, canonical = _canonical(text.strip(), constraint=constraint)
        return PypiRequirement(name=name, text=canonical, constraint=constraint, platforms=platforms, origin=origin)


def _canonical(text: str, *, constraint: bool) -> tuple[str, str]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    _refuse_unlockable(text)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise MalformedError(f"not a requirement: {str(error).splitlines()[0].rstrip('.')}", _EXAMPLES) from error
    for given in (requirement.name, *requirement.extras):
        if given.endswith("_"):  # which `packaging` lets pass: a letter or digit is last (PEP 508, "Names")
            raise MalformedError(f"not a requirement: {shown(given)} ends with `_`, which no name does", _EXAMPLES)
    name = canonicalize_name(requirement.name)
    extras = sorted({canonicalize_name(extra) for extra in requirement.extras})
    if constraint and (extras or requirement.url):
        raise MalformedError("a constraint cannot have extras or a URL", "move it to the requirements")
    head = f"{name}[{','.join(extras)}]" if extras else str(name)
    if requirement.url:
        head += f" @ {_git_url(requirement.url, name) or _archive_url(requirement.url, name)}"
    else:
        head += ",".join(sorted({str(item) for item in requirement.specifier}))
    if requirement.marker is None:
        return name, head
    _check_marker(requirement.marker)
    return name, f"{head}{' ' if requirement.url else ''}; {requirement.marker}"


def _refuse_unlockable(text: str) -> None:
    if not text:
        raise MalformedError("it is empty", _EXAMPLES)
    if text.startswith("-"):
        raise MalformedError("options are not read here", "put it into a requirements file, and give that too")
    if "${" in text:
        raise MalformedError("variables are not expanded: a lock is the same on every machine", "write the value")
    if re.match(r"git\+", text):
        url = check_public(text.split(maxsplit=1)[0], "a package")
        raise MalformedError("a git URL needs the name of its package", f"write `NAME @ {url}`")
    if re.search(r"(^|@\s*)((hg|svn|bzr)(\+|:)|git:)", text):
        raise MalformedError(
            "this way to a repository is not known", "write `NAME @ git+https://…@REVISION`, or name a wheel's URL"
        )
    if _PATH.match(text) or re.search(r"@\s*file:", text):
        raise MalformedError("a local file is not there on other machines", "publish it, and name its URL or version")
    if re.match(r"https?:", text):
        check_public(text.split(maxsplit=1)[0], "a package")
        raise MalformedError("a URL needs the name of its package", "write `name @ URL`")


def _git_url(url: str, name: str) -> str:
    """A `git+` URL in its one text; empty for a URL of another kind."""
    if not url.startswith("git+"):
        return ""
    return str(parse_git(check_public(url, f"package {name}")))


def _archive_url(url: str, name: str) -> str:
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    check_public(url, f"package {name}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise MalformedError(f"`{parts.scheme}` URLs cannot be fetched", "use `https`")
    filename = unquote(parts.path.rpartition("/")[2])
    if not filename.endswith((".whl", ".tar.gz", ".zip")):
        raise MalformedError(
            "it is neither a wheel nor a source distribution",
            "name the URL of a `.whl` or `.tar.gz`, or a commit: `name @ git+https://…@REVISION`",
        )
    parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    try:
        found = parse(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise MalformedError(
            f"{shown(filename)} does not say the name and the version of a package",
            "name a wheel or a source distribution, or a commit: `name @ git+https://…@REVISION`",
        ) from error
    if found != name:
        raise MalformedError(f"the file is of `{found}`, not of `{name}`", f"write `{found} @ …`")
    if not _SHA256_FRAGMENT.fullmatch(parts.fragment):
        raise MalformedError(
            f"{shown('#' + parts.fragment)} is not understood", "`#sha256=…` is, or no fragment at all"
        )
    return url


def _check_marker(marker: Marker) -> None:
    """Refuse a marker that has no answer: evaluated once for each platform, so that no solver trips on it later."""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    if re.search(r"\bextra\b|\bextras\b|\bdependency_groups\b", _QUOTED.sub("", str(marker))):
        raise MalformedError("`extra` means nothing outside a package", "remove that part of the marker")
    try:
        for platform in PLATFORMS:
            marker.evaluate(marker_environment(platform, "3.11"))
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise MalformedError(f"its marker has no answer: {error}", "compare versions with versions") from error
