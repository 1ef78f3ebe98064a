"""`envtag update`: newer packages, and nothing else moved that need not move."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.updating import words
from envtag.updating.environment import Updated, Wanted
from envtag.updating.environment import update as find_update

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Registry


def update(
    name: str,
    wanted: Wanted,
    *,
    dry_run: bool,
    pr_body: Path | None,
    as_json: bool,
    registry: Registry,
    config: Config,
    output: Output,
) -> int:
    """Update one environment in the work tree: specs that name a version are edited, locks follow.

    Args:
        name: The environment.
        wanted: What may move, and how far.
        dry_run: Solve and tell; write nothing.
        pr_body: Where to write the words of a pull request, None for nowhere.
        as_json: Print the result as JSON.
        registry: The registry, with a work tree.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: A package is not there, or there is no solution; nothing is written.
    """
    registry.check_writable([parse_name(name)], "clone it, and update in the clone: `git clone …`")
    environment = registry.environment(parse_name(name))
    updated = find_update(environment, wanted, registry=registry, config=config, output=output)
    written = updated.files()
    if pr_body is not None:
        from envtag.updating.proposal import body, write_body

        write_body(pr_body, body(updated, config))
    if written and not dry_run:
        _write(written, updated, registry)
    if as_json:
        output.json({environment.name: words.document(updated)})
    else:
        output.data(words.text(updated))
    if not written:
        output.say("nothing to write")
    elif dry_run:
        output.say("dry run: nothing was written")
    else:
        following = f"`envtag publish {environment.name}`"
        if registry.home([environment.name]) is None:
            following = f"`git add {environment.directory} && git commit`, then open a pull request"
        output.say(f"next: {following}")
    return 0


def _write(written: Mapping[str, bytes | None], updated: Updated, registry: Registry) -> None:
    """Write an update, unless the environment was changed while it was solved."""

    def unless_changed() -> Mapping[str, bytes | None]:
        files = registry.environment(updated.environment.name).files
        if any(files.read(path) != data for path, data in updated.read.items()):
            raise FatalError(f"`{updated.environment.name}` was changed while it was solved", "run it again")
        return written

    registry.change([updated.environment.name], unless_changed)
