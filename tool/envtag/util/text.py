"""A stranger's text, made fit for one line of a message, and numbers of things."""

from __future__ import annotations

from envtag.util.pattern import pattern

_LIMIT = 120
_USER_INFO = pattern(r"://\S*@")
_QUERY = pattern(r"(://[^\s?#]*)\?[^\s#]*")
_TOKEN = pattern(r"((?<!\bfile)://\S*?/t/)[^/\s]+")


def number_of(count: int, what: str) -> str:
    """A number of things as people say it (`1 package`, `2,000 packages`).

    Args:
        count: How many.
        what: One of them, a word that gets an `s` for several.
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def shown(text: str) -> str:
    """Text in backticks: control characters escaped, cut after 120 characters, credentials of URLs masked."""
    masked = _TOKEN.sub(r"\1***", _QUERY.sub(r"\1?***", _USER_INFO.sub("://***@", text)))
    if len(masked) > _LIMIT:
        masked = masked[:_LIMIT] + "…"
    if not masked.isprintable():
        masked = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in masked)
    return f"`{masked}`"
