"""Strangers' texts made harmless: for terminals and logs, Markdown and HTML.

Names, versions, builds, licences and URLs come from channels, indices and pull requests of anybody. What is shown of
them is printable ASCII, so that no invisible or look-alike letter and no control sequence hides anything.
"""

from __future__ import annotations

import html
import re

LIMIT = 100
_TICKS = re.compile(r"`+")


def plain(text: str) -> str:
    r"""A text for one line of a terminal or a log of GitHub Actions, whose commands (`::x::`, `##[x]`) are broken.

    Anything but printable ASCII is written as an escape (`\u202e`), and what is longer than `LIMIT` is cut.
    """
    cut = text if len(text) <= LIMIT else f"{text[: LIMIT - 3]}..."
    shown = cut if cut.isascii() and cut.isprintable() else "".join(map(_letter, cut))
    shown = shown.replace("##[", "#\\x23[")
    return f"\\x3a{shown[1:]}" if shown.lstrip().startswith("::") and shown[0] == ":" else _no_command(shown)


def markdown(text: str) -> str:
    """A text as a code span of GitHub's Markdown, also within a table: no HTML, mention, reference or link in it.

    A backtick cannot be escaped within a span, so it is written as an escape; an empty text is `""`.
    """
    shown = _TICKS.sub(lambda found: "\\x60" * len(found[0]), plain(text)).replace("|", "\\x7c")
    return f"`{shown.strip() or repr(shown)}`"


def html_text(text: str) -> str:
    """A text for HTML, in an element or a quoted attribute."""
    return html.escape(plain(text), quote=True)


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isprintable():
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def _no_command(text: str) -> str:
    bare = text.lstrip()
    return text.replace("::", "\\x3a:", 1) if bare.startswith("::") else text
