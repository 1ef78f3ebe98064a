"""A Dockerfile's steps, as BuildKit reads them: instructions, and files that stand in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HERE = re.compile(r"^<<'(\w+)' (\S+)$")
_KNOWN = frozenset({"ARG", "COPY", "ENV", "FROM", "LABEL", "RUN", "USER"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction.

    Attributes:
        instruction: Its name.
        text: What follows it.
        file: The content of the file that stands after it (`COPY <<'WORD' PATH`), or None.
    """

    instruction: str
    text: str
    file: str | None = None


def steps(text: str) -> list[Step]:
    """The steps of a Dockerfile; what is none raises `ValueError`."""
    lines = text.splitlines()
    if not lines or lines[0] != "# syntax=docker/dockerfile:1":
        raise ValueError("a file within a Dockerfile needs its first line to name the syntax")
    found = []
    while lines:
        line = lines.pop(0)
        if line.startswith("#") or not line:
            continue
        instruction, _, rest = line.partition(" ")
        if instruction not in _KNOWN or not rest:
            raise ValueError(f"not an instruction: {line}")
        here = _HERE.match(rest) if instruction == "COPY" else None
        if here is None:
            found.append(Step(instruction=instruction, text=rest))
            continue
        end = lines.index(here[1])
        found.append(Step(instruction=instruction, text=here[2], file="".join(f"{item}\n" for item in lines[:end])))
        lines = lines[end + 1 :]
    return found
