"""Lines as pip reads them, wherever they stand: options of a file, and requirements with the hashes behind them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from envtag.spec.logins import take_login
from envtag.spec.model import MalformedError, Part, Placed, located
from envtag.spec.pep508 import parse_requirement
from envtag.spec.pip_options import format_names, sha256_hashes, split_requirement
from envtag.urls import check_public

if TYPE_CHECKING:
    from envtag.request import Login, Origin, PypiRequirement

_INDICES = ("index-url", "extra-index-url")


class PipLines:
    """Collects what lines ask for, in order."""

    def __init__(self) -> None:
        self.pypi: list[PypiRequirement] = []
        self._options: list[tuple[str, Placed]] = []
        self._logins: list[Login] = []

    def part(self) -> Part:
        """What was read."""
        return Part(
            pypi=tuple(self.pypi),
            index_urls=tuple(placed for name, placed in self._options if name == "index-url"),
            extra_index_urls=tuple(placed for name, placed in self._options if name == "extra-index-url"),
            options=tuple(item for item in self._options if item[0] not in _INDICES),
            logins=tuple(dict.fromkeys(self._logins)),
        )

    def option(self, origin: Origin, line: str, option: str, value: str) -> None:
        """Read an option that includes nothing.

        Args:
            origin: Where it stands.
            line: The whole line, for errors.
            option: Its name; see `pip_options.read_options`.
            value: Its value, empty for a switch.

        Raises:
            FatalError: It cannot be honoured.
        """
        with located(origin, line):
            if option == "hash":
                raise MalformedError("no requirement stands before its `--hash`", "write both on one line")
            if option in _INDICES:
                value = self._public(value, "index")
            elif option == "find-links":
                value = self._page(value)
            elif option in ("only-binary", "no-binary"):
                format_names(value)
        self._options.append((option, Placed(value=value, origin=origin)))

    def requirement(
        self, origin: Origin, line: str, *, constraint: bool = False, platforms: frozenset[str] | None = None
    ) -> None:
        """Read a requirement and its hashes; arguments are those of `pep508.parse_requirement`.

        Raises:
            FatalError: It is malformed, or of a kind that cannot be locked.
        """
        text, hashes = split_requirement(origin, line)
        with located(origin, line):
            text, login = take_login(text)
            wanted = sha256_hashes(hashes)
        self._logins += [login] if login is not None else []
        found = parse_requirement(text, origin, constraint=constraint, platforms=platforms)
        self.pypi.append(replace(found, hashes=wanted))

    def _page(self, value: str) -> str:
        if not re.match(r"https?://", value):
            raise MalformedError(
                "`--find-links` of a directory: it is not there on other machines",
                "put the files where everybody can fetch them, and name the page or each `NAME @ URL`",
            )
        return self._public(value, "page of links")

    def _public(self, text: str, what: str) -> str:
        url, login = take_login(text)
        self._logins += [login] if login is not None else []
        return check_public(url, what)
