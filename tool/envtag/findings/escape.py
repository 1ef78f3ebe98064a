"""Strangers' texts made harmless for one line of a terminal or of a log of GitHub Actions."""

from __future__ import annotations

LIMIT = 2_000


def one_line(text: str) -> str:
    r"""A text as printable ASCII on one line, in which nothing is a command to a terminal or to a log.

    Other letters are escapes (`\u202e`), since they can hide or look like something else. GitHub Actions takes a line
    that begins with `::` for a command, and `##[` anywhere in one. What is longer than `LIMIT` is cut.
    """
    cut = text if len(text) <= LIMIT else f"{text[: LIMIT - 3]}..."
    shown = cut if cut.isascii() and cut.isprintable() else "".join(map(_letter, cut))
    shown = shown.replace("##[", "#\\x23[")
    bare = shown.lstrip()
    return shown.replace("::", "\\x3a:", 1) if bare.startswith("::") else shown


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isprintable():
        return letter
    return letter.encode("unicode_escape").decode("ascii")
