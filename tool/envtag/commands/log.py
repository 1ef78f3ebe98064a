"""`envtag log`: releases and moves of pointers, by whom, and who reviewed them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from envtag.chronicle import Event, chronicle
from envtag.names import parse_name
from envtag.render import table

if TYPE_CHECKING:
    from envtag.output import Output
    from envtag.registry import Registry

_HEADER = ("when", "what", "by", "review", "signed by", "commit")


def log(name: str, *, as_json: bool, registry: Registry, output: Output) -> int:
    """Print what happened to the tags of an environment, the newest first.

    Args:
        name: The environment.
        as_json: Print a list of objects as JSON.
        registry: Where it is.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: There is no such environment.
    """
    registry.environment(parse_name(name))
    events = chronicle(name, registry)
    if as_json:
        output.json([_document(event) for event in events])
    elif events:
        output.data(table(_HEADER, [_row(event) for event in events]))
    else:
        output.say(f"nothing of `{name}` was released yet")
    return 0


def _row(event: Event) -> tuple[str, ...]:
    from envtag.found import person

    what = f"released {event.tag}"
    if event.kind != "released":
        way = f" from {event.before}" if event.before else ""
        what = f"{event.tag} → {event.after}{way}" if event.after else f"{event.tag} removed{way}"
    review = [f"#{event.pull_request}"] if event.pull_request else []
    review += [person(who) for who in event.reviewers]
    day = event.date.replace("T", " ").removesuffix("Z")
    return (day, what, person(event.author), ", ".join(review), event.signed_by, event.commit[:12])


def _document(event: Event) -> dict[str, object]:
    return {key: list(value) if isinstance(value, tuple) else (value or None) for key, value in asdict(event).items()}
