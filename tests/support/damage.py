"""Texts that are nearly what a parser reads: a good one with a piece cut out, put in or put in another's place."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

_PIECES = (
    *("", " ", "\n", "\n  ", ":", ": ", "- ", "[", "]", "{", "}", "'", '"', "#", "&x ", "*x", "!!int ", "%", "@", "/"),
    *("..", "\\", "\0", "\x85", "\u2028", "é", "💥", "-1", "1e999", "null", "~", "true", "2026-13-45", "0x", "://"),
    *("version: 2", "?" * 50, "http://[", "file:", "${A}", "\r", "\t", "," * 9),
)


@st.composite
def damaged(draw: st.DrawFn, texts: Sequence[str]) -> str:
    """A text with up to three places changed.

    Args:
        texts: Good ones.
    """
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(_PIECES) | st.text(max_size=5)) + text[end:]
    return text


def as_bytes(text: str) -> bytes:
    """A text as a file has it, whatever is in it."""
    return text.encode("utf-8", "surrogatepass")
