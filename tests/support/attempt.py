"""A call whose refusal is looked at, for property tests in which both outcomes are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from envtag.errors import FatalError

Result = TypeVar("Result")


def attempt(function: Callable[..., Result], *arguments: object) -> tuple[Result | None, FatalError | None]:
    """What a call returns, or the `FatalError` that it raises; every other exception goes on."""
    try:
        return function(*arguments), None
    except FatalError as error:
        return None, error
