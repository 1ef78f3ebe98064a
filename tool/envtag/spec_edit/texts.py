"""The text of a requirement with other versions, and all else in it as it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.request import CondaRequirement, PypiRequirement

_BLANK = r"(?:[ \t]|\\\r?\n)*"
_HASHES = re.compile(rf"(?P<gap>(?:[ \t]|\\\r?\n)+)--hash(?:=|{_BLANK})[A-Za-z0-9]+:[0-9A-Fa-f]+")
#: Between hashes where only one stood before.
_NEXT_LINE = " \\\n    "
_CONDA = re.compile(
    r"(?P<head>\s*(?:[^\s=<>!~]+::)?(?P<name>[A-Za-z0-9_][\w.-]*))(?P<gap>\s*)(?P<rest>.*?)(?P<tail>\s*)"
)
_PYPI = re.compile(
    rf"(?P<head>\s*(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?:{_BLANK}\[[^\]]*\])?)(?P<gap>{_BLANK})"
    rf"(?P<rest>(?:[^;\\]|\\\r?\n)*?)(?P<tail>{_BLANK}(?:;.*)?\s*)",
    re.DOTALL,
)


def without_hashes(text: str) -> str:
    """A requirement without the hashes behind it."""
    return _HASHES.sub("", text)


class ByHandError(ValueError):
    """A requirement is left to people to edit; the message says why."""


def conda_text(text: str, item: CondaRequirement, versions: str) -> str | None:
    """A conda match spec with other versions.

    A build that is a pattern stays; an exact one is of the old version, and goes.

    Args:
        text: As it is written.
        item: The requirement that is to be changed.
        versions: The new constraint.

    Returns:
        None where the text is of another package.

    Raises:
        ByHandError: It has its parts in brackets.
    """
    found = _CONDA.fullmatch(text)
    if found is None or found["name"].lower() != item.name:
        return None
    if "[" in found["rest"]:
        raise ByHandError("its parts are in brackets")
    build = f" {item.build}" if "*" in item.build else ""
    gap = found["gap"] or (" " if build or not versions.startswith(("=", "<", ">", "!", "~")) else "")
    return f"{found['head']}{gap}{versions}{build}{found['tail']}"


def pypi_text(text: str, item: PypiRequirement, versions: str, hashes: Sequence[str] = ()) -> str | None:
    """A PEP 508 requirement with other versions, and the hashes of these; extras and markers stay.

    Args:
        text: As it is written; in a requirements file, continuation lines and all.
        item: The requirement that is to be changed.
        versions: The new constraint.
        hashes: `sha256:HEX` each, in place of those behind it; none where there are none.

    Returns:
        None where the text is of another package.

    Raises:
        ByHandError: It names a URL, or has options behind it that are not to be replaced.
    """
    if hashes and (stated := list(_HASHES.finditer(text))):
        bare = pypi_text(without_hashes(text), item, versions)
        first, more = stated[0]["gap"], stated[1]["gap"] if len(stated) > 1 else _NEXT_LINE
        gaps = (first, *[more] * (len(hashes) - 1))
        return bare and bare + "".join(f"{gap}--hash={value}" for gap, value in zip(gaps, hashes, strict=True))
    found = _PYPI.fullmatch(text)
    if found is None or re.sub(r"[-_.]+", "-", found["name"]).lower() != item.name:
        return None
    if found["rest"].lstrip().startswith("@"):
        raise ByHandError("it names a URL, which is of one version")
    if re.search(r"(?:^|\s)--?[A-Za-z]", found["rest"] + found["tail"]):
        raise ByHandError("it has options behind it that are of one version")
    return f"{found['head']}{found['gap']}{versions}{found['tail']}"
