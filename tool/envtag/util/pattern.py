"""Regular expressions that are compiled when they are first used: a look-up needs few of all that there are."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, for its methods; a malformed expression raises at the first call of one."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))


class _Pattern:
    """Stands for a compiled expression; each of its attributes is looked up once."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        text, flags = self._given
        found = getattr(re.compile(text, flags), name)
        setattr(self, name, found)
        return found
