"""`envtag update --every`: updates of a whole registry, one branch an environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.updating import words
from envtag.updating.every import Proposal, propose_every
from envtag.util.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Registry
    from envtag.updating.environment import Wanted


def update_every(
    wanted: Callable[[str], Wanted],
    *,
    dry_run: bool,
    pr_bodies: Path | None,
    as_json: bool,
    registry: Registry,
    config: Config,
    output: Output,
) -> int:
    """Update each environment as HEAD has it, on the branch `envtag/update/NAME`; index and work tree stay as they are.

    Args:
        wanted: What may move of an environment, by its name.
        dry_run: Solve and tell; make no branch.
        pr_bodies: A directory for the words of each pull request (`BRANCH.md`), None for nowhere.
        as_json: Print the result as JSON.
        registry: The registry.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where an environment could not be updated, after all others were.
    """
    found = propose_every(wanted, dry_run=dry_run, registry=registry, config=config, output=output)
    if pr_bodies is not None:
        _write_bodies(found, pr_bodies, config)
    if as_json:
        output.json({item.name: _document(item) for item in found})
    else:
        for item in found:
            output.data(_text(item))
    proposed = [item.branch for item in found if item.state == "proposed"]
    failed = [item.name for item in found if item.state == "failed"]
    output.say(f"{len(proposed)} of {number_of(len(found), 'environment')} with something newer, {len(failed)} failed")
    if proposed and not dry_run:
        output.say(f"next: `git push {registry.remote or 'origin'} {proposed[0]}`, then open a pull request of it")
    return 1 if failed else 0


def _write_bodies(found: Sequence[Proposal], directory: Path, config: Config) -> None:
    from envtag.updating.proposal import body, write_body

    for item in found:
        if item.updated is not None and item.state == "proposed":
            write_body(directory / f"{item.branch}.md", body(item.updated, config))


def _text(item: Proposal) -> str:
    if item.error is not None:
        return f"{item.name}: failed: {item.error.message}"
    if item.state == "fresh":
        return f"{item.name}: nothing is newer"
    if item.state == "unchanged":
        return f"{item.name}: {item.branch} has it already"
    told = words.text(item.updated) if item.updated is not None else item.name
    return f"{told}\n  on {item.branch} at {item.commit[:12]}" if item.commit else told


def _document(item: Proposal) -> dict[str, Any]:
    error = item.error
    return {
        "state": item.state,
        "branch": item.branch,
        "commit": item.commit or None,
        "error": error.message if error is not None else None,
        "detail": error.detail or None if error is not None else None,
        "update": words.document(item.updated) if item.updated is not None else None,
    }
