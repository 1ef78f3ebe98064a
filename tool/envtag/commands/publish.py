"""`envtag publish`: packages and manifests to the store, then git tags, then replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.output import Output, megabytes
from envtag.publication import Publisher, Report

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Registry
    from envtag.store import Store


def publish(
    names: Sequence[str],
    *,
    push: bool,
    as_json: bool,
    registry: Registry,
    store: Store,
    config: Config,
    output: Output,
) -> int:
    """Publish environments from the commit that is checked out; safe to repeat, and to run twice at once.

    Args:
        names: The environments; none for all of the registry.
        push: Push the tags to the registry's remote, where it has one.
        as_json: Print the report as JSON.
        registry: The registry, with a work tree.
        store: Where packages, manifests and replicas go.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        AliasExistsError: Another publisher took a tag for other content.
        FatalError: See `Publisher.publish`.
    """
    if registry.worktree is None:
        raise FatalError(
            f"`{registry.location}` has no work tree", "clone it, and publish from the clone: `git clone …`"
        )
    publisher = Publisher(registry=registry, store=store, config=config, output=output, push=push)
    chosen = [parse_name(text) for text in names] or registry.names()
    if not chosen:
        raise FatalError(
            "the registry has no environments yet", "make one: `envtag resolve -r requirements.txt --alias NAME`"
        )
    report = Report()
    for name in chosen:
        publisher.publish(name, report)
    if as_json:
        output.json({"environments": chosen, **_summary(report)})
    else:
        _tell(report, registry, store, output)
    return 0


def _summary(report: Report) -> dict[str, object]:
    return {
        "uploaded": report.uploaded,
        "reused": report.reused,
        "bytes": report.bytes,
        "tags": report.tags,
        "kept": report.kept,
        "pushed": report.pushed,
    }


def _tell(report: Report, registry: Registry, store: Store, output: Output) -> None:
    for alias in report.tags:
        output.data(f"released {alias}")
    for alias in report.kept:
        output.data(f"already released {alias}, same content")
    pushed = f", {', '.join(report.pushed)} pushed to `{registry.remote}`" if report.pushed else ""
    stored = f"{report.uploaded} packages stored ({megabytes(report.bytes)}), {report.reused} were there"
    output.say(f"{stored}, in {store.url}{pushed}")
    if report.tags:
        output.say(f"next: `envtag run {report.tags[-1]} -- python`, from any clone")
