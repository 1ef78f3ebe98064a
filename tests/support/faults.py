"""What goes wrong between a client and a server of the tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next requests of a kind in place of, or after, an answer.

    Attributes:
        method: The requests' method.
        contains: A part of their path with its query.
        status: The answer's status; 0 for no answer: the connection breaks.
        code: The answer's error code.
        done: The request is carried out, but its answer is lost.
        cut: The answer's body breaks off in the middle; nothing else is wrong.
        times: How many requests.
    """

    method: str
    contains: str = ""
    status: int = 0
    code: str = ""
    done: bool = False
    cut: bool = False
    times: int = 1
