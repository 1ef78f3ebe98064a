"""A solver's explanation, made readable: bounded, free of paths, and with the requests that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import UnsolvableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Lines of an explanation that are shown; conda's trees run into thousands.
LIMIT = 60
_WIDTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Something that was known before solving, and who said it.

    Attributes:
        name: The package that it is about.
        text: The requirement or the package, as people read it.
        source: Who stated it (`environment.yml:4`, `conda package numpy 1.26.4 py311_0`).
    """

    name: str
    text: str
    source: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def trim(text: str, limit: int = LIMIT) -> str:
    """The first lines of a text, and how many there are more.

    Lines that follow one another and are equal are shown once; a very long line is cut, and says so.
    """
    lines: list[str] = []
    for line in text.strip().splitlines():
        shown = line.rstrip()
        if len(shown) > _WIDTH:
            shown = f"{shown[:_WIDTH]}… (+{len(shown) - _WIDTH} more characters)"
        if shown and (not lines or lines[-1] != shown):
            lines.append(shown)
    if len(lines) <= limit:
        return "\n".join(lines)
    return "\n".join([*lines[:limit], f"(+{len(lines) - limit} more lines)"])


def mentions(text: str, name: str) -> bool:
    """Whether a text names a package: as a whole word, not as a part of another package's name."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def named_in(text: str, stated: Iterable[Stated]) -> list[Stated]:
    """Those of some statements whose package a text names, in their order, each once."""
    found: dict[Stated, None] = {}
    known: dict[str, bool] = {}
    for item in stated:
        if item.name not in known:
            known[item.name] = mentions(text, item.name)
        if known[item.name]:
            found[item] = None
    return list(found)


def explanation(text: str, parts: Mapping[str, Sequence[Stated]], replace: Mapping[str, str]) -> str:
    """The whole detail of an error: the solver's words, then what was asked and known about the packages in them.

    Args:
        text: As the solver wrote it.
        parts: Heading (`asked for by`) to the statements that may belong under it.
        replace: Text in the explanation to what a person should read instead (mirrors, temporary paths).
    """
    for found, wanted in replace.items():
        text = text.replace(found, wanted)
    sections = [trim(text)]
    for heading, stated in parts.items():
        about = named_in(text, stated)
        if about:
            sections.append(trim("\n".join([f"{heading}:", *(f"  {item}" for item in about)]), 20))
    return "\n".join(sections)


def together(failures: Mapping[str, UnsolvableError]) -> UnsolvableError:
    """One error for all platforms that have no solution; equal explanations are given once."""
    if len(failures) == 1:
        return next(iter(failures.values()))
    alike: dict[str, list[str]] = {}
    for name, error in failures.items():
        about = error.message.replace(f" on `{name}`", "")
        alike.setdefault(f"{about}\n{error.detail}".rstrip(), []).append(f"`{name}`")
    detail = "\n\n".join(f"{', '.join(names)}: {text}" for text, names in alike.items())
    hints = list(dict.fromkeys(error.hint for error in failures.values() if error.hint))
    listed = ", ".join(f"`{name}`" for name in failures)
    return UnsolvableError(f"there is no solution on {listed}", "; ".join(hints), detail)
