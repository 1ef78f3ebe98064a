"""The one error that a person is meant to read."""

from __future__ import annotations


class FatalError(Exception):
    """The answer is no, or the user must act: shown as one line and a hint, exit code 1.

    Args:
        message: One line that names the thing; lower case, code in backticks, no full stop.
        hint: What to do next, or an empty string where nothing is known to help.
        detail: Text shown between the two as it is (a solver's explanation, a command's output).
    """

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class AliasExistsError(FatalError):
    """An immutable tag is already taken by other content (the loser of a race gets it too)."""


class UnsolvableError(FatalError):
    """A solver proved that a request has no solution; `detail` is its explanation.

    Args:
        message: See `FatalError`.
        hint: See `FatalError`.
        detail: See `FatalError`.
        blamed: Names of packages that were to be kept and that the explanation is about.
    """

    def __init__(self, message: str, hint: str = "", detail: str = "", blamed: frozenset[str] = frozenset()) -> None:
        super().__init__(message, hint, detail)
        self.blamed = blamed


class UnreachableError(FatalError):
    """A remote did not answer, or refused to talk; what it holds is not known."""


class DamagedError(FatalError):
    """An object of a store, or what was to be one, has other bytes than its name promises."""
