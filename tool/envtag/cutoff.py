"""A moment after which nothing may have been published: read from what people write, kept as one canonical text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from envtag.errors import FatalError
from envtag.util.pattern import pattern

_CUTOFF = pattern(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<time>\d{2}:\d{2})(?::(?P<seconds>\d{2})(?:\.\d+)?)? ?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_HINT = "write `2026-11-20` (its first moment, UTC) or `2026-11-20T12:00:00Z`"


def parse_cutoff(text: str) -> str:
    """The canonical text of a moment after which nothing may have been published.

    Args:
        text: `2026-11-20` (midnight UTC at which that day begins), or `2026-11-20T12:00[:00]` with `Z`, an offset or
            neither (UTC); fractions of a second are dropped.

    Returns:
        `YYYY-MM-DDTHH:MM:SSZ`.

    Raises:
        FatalError: It is no such date.
    """
    match = _CUTOFF.fullmatch(text.strip())
    if match is None:
        raise FatalError(f"`{text}` is not a date", _HINT)
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}:{match['seconds'] or '00'}+00:00")
        moment -= _offset(match["zone"] or "Z")
    except (ValueError, OverflowError) as error:
        raise FatalError(f"`{text}` is not a date: {error}", _HINT) from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - a clock
        raise ValueError(f"`{zone}` is not an offset")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if zone[0] == "-" else size
