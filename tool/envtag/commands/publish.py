"""`envtag publish`: packages and manifests to the store, then git tags, then replicas."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.output import Output, megabytes
from envtag.platforms import check_platform
from envtag.policing import hold_to_policy
from envtag.publication import Failure, Preview, Publisher, Report, changed_environments
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Registry
    from envtag.store import Store


def publish(
    names: Sequence[str],
    *,
    platforms: Sequence[str] = (),
    changed_since: str = "",
    dry_run: bool = False,
    push: bool,
    sign: bool = False,
    sign_key: str = "",
    repair: bool = False,
    as_json: bool,
    registry: Registry,
    store: Store,
    config: Config,
    output: Output,
) -> int:
    """Publish environments from the commit that is checked out; safe to repeat, and to run twice at once.

    Those of an open namespace are published from its branch, and only where they are named.

    Args:
        names: The environments; none for all of the work tree.
        platforms: Bring only what is for these to the store, and tag nothing; none for all, and tags.
        changed_since: Only environments whose directory differs between this revision and HEAD; empty for any.
        dry_run: Say what would be done, and change nothing.
        push: Push the tags to the registry's remote, where it has one.
        sign: Sign the tags with git's key, also where the registry does not demand it.
        sign_key: The key to sign with, in place of the one that git is configured with.
        repair: Look at every package of every release, and bring back what the store has lost.
        as_json: Print the report as JSON.
        registry: The registry, with a work tree or open namespaces.
        store: Where packages, manifests and replicas go.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0, or 1 where a build waits for a runner of another platform.

    Raises:
        AliasExistsError: Another publisher took a tag for other content.
        FatalError: See `Publisher.publish`; the other environments are published nevertheless.
    """
    named = [] if changed_since else [parse_name(text) for text in names]
    registry.check_each_writable(named, "clone it, and publish from the clone: `git clone …`")
    wanted = tuple(dict.fromkeys(check_platform(name) for name in platforms))
    chosen = _chosen(names, changed_since, registry, output)
    kind = Preview if dry_run else Publisher
    publisher = kind(
        registry=registry, store=store, config=config, output=output, push=push, platforms=wanted, sign=sign,
        sign_key=sign_key, repair=repair,
    )  # fmt: skip
    report = Report(dry_run=dry_run)
    would = _run(publisher, chosen, report, registry, config)
    if as_json:
        output.json(report.to_json(chosen))
    elif dry_run:
        _foretell(would, output)
    elif chosen:
        _tell(report, registry, store, output, alone=len(chosen) == 1)
    return _end(report, chosen, wanted, output)


def _run(
    publisher: Preview | Publisher, chosen: Sequence[str], report: Report, registry: Registry, config: Config
) -> dict[str, list[str]]:
    """Publish each, whatever becomes of the others; environment to what a preview says of it.

    What nobody reviews is held to the policy first.
    """
    started = time.monotonic()
    would: dict[str, list[str]] = {}
    for name in chosen:
        try:
            if registry.open_branch(name) is not None:
                hold_to_policy(publisher.history.environment(name), registry, publisher.history.merged, config)
            would[name] = publisher.publish(name, report) or []
        except FatalError as error:  # noqa: PERF203 - the others are published nevertheless
            report.failed.append(Failure(name, error))
    report.seconds = time.monotonic() - started
    return would


def _chosen(names: Sequence[str], changed_since: str, registry: Registry, output: Output) -> list[str]:
    """The environments to publish, each once."""
    chosen = list(dict.fromkeys(parse_name(text) for text in names)) or registry.names()
    if not chosen:
        raise FatalError(
            "the registry has no environments yet", "make one: `envtag resolve -r requirements.txt --alias NAME`"
        )
    if changed_since:
        changed = set(changed_environments(registry, changed_since))
        chosen = [name for name in chosen if name in changed]
        if not chosen:
            output.say(f"no environment changed since {changed_since}: nothing to publish")
    return chosen


def _foretell(would: dict[str, list[str]], output: Output) -> None:
    for name, lines in would.items():
        output.data("\n".join(f"{name}: would {line}" for line in lines) if lines else f"{name}: nothing to do")
    if would:
        output.say("nothing was changed; without `--dry-run` it is done")


def _tell(report: Report, registry: Registry, store: Store, output: Output, *, alone: bool) -> None:
    for alias in report.tags:
        output.data(f"released {alias}")
    for alias in report.kept:
        output.data(f"already released {alias}, same content")
    if report.failed and alone:
        return
    pushed = f", {', '.join(report.pushed)} pushed to `{registry.remote}`" if report.pushed else ""
    took = f"{report.seconds:.1f} s"
    rate = f", {megabytes(int(report.bytes / report.seconds))}/s" if report.bytes and report.seconds else ""
    stored = f"{number_of(report.uploaded, 'package')} stored ({megabytes(report.bytes)} in {took}{rate})"
    built = f", {number_of(len(report.built), 'wheel')} built" if report.built else ""
    output.say(f"{stored}, {report.reused} were there{built}, in {store.url}{pushed}")
    if report.tags:
        output.say(f"next: `envtag run {report.tags[-1]} -- python`, from any clone")


def _end(report: Report, chosen: Sequence[str], platforms: Sequence[str], output: Output) -> int:
    """Say what is left to do, and give the exit code."""
    if platforms and not report.dry_run and chosen:
        output.say(
            f"only what is for {', '.join(platforms)}, and no tag: `envtag publish` without `--platform` releases what "
            "is whole"
        )
    for item in report.waiting:
        output.warn(str(item))
    if len(chosen) == 1 and report.failed:
        raise report.failed[0].error
    if len(report.failed) == 1:
        name, error = report.failed[0]
        raise FatalError(f"`{name}` is not published: {error.message}", error.hint, error.detail)
    if report.failed:
        listed = ", ".join(f"`{name}`" for name, _ in report.failed)
        told = "\n".join(_line(failure) for failure in report.failed)
        raise FatalError(
            f"{len(report.failed)} of {number_of(len(chosen), 'environment')} not published: {listed}", "", told
        )
    return 1 if report.waiting and not report.dry_run else 0


def _line(failure: Failure) -> str:
    error = failure.error
    return "\n  ".join([f"{failure.environment}: {error.message}", *([f"hint: {error.hint}"] if error.hint else [])])
