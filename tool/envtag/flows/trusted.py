"""Whose resolutions in a store are used in place of solving again: `METAFLOW_CONDA_USE_REMOTE_LATEST`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from envtag.errors import FatalError

_SETTING = "METAFLOW_CONDA_USE_REMOTE_LATEST"
_USER = re.compile(r"[^\s,:<>]+")
_PERSON = re.compile(r"\s*(?P<name>[^<]*?)\s*(?:<(?P<mail>[^>]*)>\s*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom one believes.

    Attributes:
        anyone: Everybody.
        users: Names, mail addresses or what stands before the `@` of one, in lower case.
    """

    anyone: bool = False
    users: frozenset[str] = frozenset()

    @property
    def nobody(self) -> bool:
        """Whether nothing of a store is believed."""
        return not self.anyone and not self.users

    def believes(self, who: str) -> bool:
        """Whether a resolution is used.

        Args:
            who: Whoever resolved it, as it is recorded: `Name <mail>`, or a user's name.
        """
        if self.anyone:
            return True
        match = _PERSON.match(who)
        if match is None:
            return False
        name, mail = (match["name"] or "").casefold(), (match["mail"] or "").casefold()
        return bool(self.users & {name, mail, mail.partition("@")[0]} - {""})


def parse_trust(text: str, user: Callable[[], str]) -> Trust:
    """Read the setting.

    Args:
        text: `:none:`, `:username:`, `:any:`, or names of users divided by commas; empty for `:none:`.
        user: Gives the name of who runs this, empty if it is not known; asked for `:username:` only.

    Raises:
        FatalError: It is none of these.
    """
    hint = "it is `:none:`, `:username:`, `:any:`, or names of users such as `alice,bob`"
    value = text.strip()
    if value in ("", ":none:"):
        return Trust()
    if value == ":any:":
        return Trust(anyone=True)
    if value == ":username:":
        name = user()
        if not name:
            raise FatalError(f"{_SETTING} is `:username:`, and nobody is logged in", "set METAFLOW_USER")
        return Trust(users=frozenset({name.casefold()}))
    names = [part.strip() for part in value.split(",")]
    bad = next((name for name in names if not _USER.fullmatch(name)), None)
    if bad is not None:
        raise FatalError(f"{_SETTING} is `{text}`: `{bad}` is not the name of a user", hint)
    return Trust(users=frozenset(name.casefold() for name in names))
