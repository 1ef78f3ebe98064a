"""Environments of a flow's steps: all of them looked up, then solved, shared and made side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag import needs
from envtag.choice import choose_for
from envtag.errors import FatalError
from envtag.flows.wanted import Answer, Ground, Wanted
from envtag.prefix import activation, layout
from envtag.prefix.marker import environment_path, is_whole
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.config import Config
    from envtag.flows.resolving import Resolver
    from envtag.flows.sharing import Sharing
    from envtag.found import Found
    from envtag.lock import Lock
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One lock to be made or shared.

    Attributes:
        lock: The lock.
        manifest: Gives what hydrates it, from a store if there is one.
        alias: The environment's name and tag; empty for one that has none.
        commit: The registry's commit that it was read at; empty where there is none.
        released: SHA-256 of the manifest that a tag names for it; empty where no tag leads to it.
        fresh: Whether it was solved just now.
    """

    lock: Lock
    manifest: Callable[[Store], Manifest]
    alias: str = ""
    commit: str = ""
    released: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What it takes to prepare environments.

    Attributes:
        find: Looks up what a reference names; asked once for each.
        commit: Gives the commit that what was found is of.
        open_store: Gives the store; called only where it is needed.
        resolver: Resolves what is not named.
        sharing: Brings locks to the store.
        share_all: Whether what is solved here is shared for steps that run here, too: where a store is named.
        config: The client's settings.
        output: Where progress is told.
    """

    find: Callable[[str], Found]
    commit: Callable[[Found], str]
    open_store: Callable[[], Store]
    resolver: Resolver
    sharing: Sharing
    share_all: Callable[[], bool]
    config: Config
    output: Output
    _found: dict[str, Found] = field(default_factory=dict, repr=False)

    def prepare(self, wanted: Sequence[Wanted]) -> dict[str, Answer]:
        """Prepare all that is asked for; key to answer.

        Raises:
            FatalError: One of them cannot be had; names the steps that want it.
        """
        grounds = {item.key: self._look_up(item) for item in wanted}
        targets = dict(
            zip(grounds, in_parallel(lambda item: self._target(item, grounds[item.key]), wanted), strict=True)
        )
        answers = in_parallel(lambda item: self._provide(item, targets[item.key]), wanted)
        return {item.key: answer for item, answer in zip(wanted, answers, strict=True)}

    def _look_up(self, wanted: Wanted) -> Ground | None:
        if not wanted.reference:
            return None
        with about(wanted):
            if wanted.reference not in self._found:
                self._found[wanted.reference] = self.find(wanted.reference)
            found = self._found[wanted.reference]
            return Ground(found=found, lock=found.lock(choose_for(found, wanted.platform, self.output)))

    def _target(self, wanted: Wanted, ground: Ground | None) -> _Target:
        """What a step is to run in: what it names if that has everything, else what is resolved on top of it."""
        with about(wanted):
            there = ground.lock.packages if ground is not None else ()
            missing = needs.missing(wanted.needs, (package.name for package in there))
            if ground is not None and not missing and not wanted.adds(ground.lock):
                found, lock = ground.found, ground.lock
                record = found.record
                return _Target(
                    lock=lock,
                    manifest=lambda store: found.manifest(lock.platform, store),
                    alias=str(found.alias),
                    commit=self.commit(found),
                    released=record.manifests.get(lock.platform, "") if record is not None else "",
                )
            resolved = self.resolver.resolve(wanted, missing, ground)
            if not resolved.manifest.lock.python:
                raise FatalError("nothing of what is asked for brings Python", "ask for `python`")
            commit = self.commit(ground.found) if ground is not None else ""
            return _Target(
                lock=resolved.manifest.lock,
                manifest=lambda _: resolved.manifest,
                commit=commit,
                fresh=resolved.fresh,
            )

    def _provide(self, wanted: Wanted, target: _Target) -> Answer:
        with about(wanted):
            lock = target.lock
            prefix = self._made(target) if wanted.make else None
            manifest = self._shared(target, required=wanted.share)
            return Answer(
                id=f"{lock.request}:{lock.id}",
                alias=target.alias,
                commit=target.commit,
                platform=lock.platform,
                python=lock.python,
                prefix=str(prefix or ""),
                argv=interpreter(prefix) if prefix is not None else (),
                variables=activation_variables(prefix) if prefix is not None else {},
                manifest=manifest,
                store=self.sharing.store.url if manifest else "",
            )

    def _made(self, target: _Target) -> Path:
        def manifest() -> Manifest:
            return target.manifest(self.open_store())

        return made(target.lock, manifest, open_store=self.open_store, config=self.config, output=self.output)

    def _shared(self, target: _Target, *, required: bool) -> str:
        """The digest of the manifest in the store; empty for what need not be there, and is not."""
        if not required and not (target.fresh and self.share_all()):
            return ""
        try:
            return self.sharing.share(target.lock, released=target.released, commit=target.commit)
        except FatalError as error:
            if required:
                raise
            self.output.warn(f"what was solved is kept on this machine only: {error.message}")
            return ""


def made(
    lock: Lock,
    manifest: Callable[[], Manifest],
    *,
    open_store: Callable[[], Store],
    config: Config,
    output: Output,
) -> Path:
    """The environment of a lock on this machine; any number of processes that ask for it at once make it once.

    Args:
        lock: What was looked up.
        manifest: Gives what hydrates it; called only if it is not here yet, as is `open_store`.
        open_store: Gives the store.
        config: The client's settings.
        output: Where progress is told.

    Raises:
        FatalError: A package cannot be had whole.
    """
    path = environment_path(config, lock.id)
    if is_whole(path, lock.id):
        return path
    from envtag.prefix.creation import hydrate  # with all that installs, which a second run has no use for

    found = manifest()
    hydrate(found.lock, path, store=open_store(), config=config, offline=False, output=output, builds=found.builds)
    return path


def interpreter(prefix: Path) -> tuple[str, ...]:
    """The command that is a prefix's Python, after its activation scripts."""
    executable = layout.python(prefix, venv=layout.is_venv(prefix))
    return tuple(activation.wrap(prefix, [str(executable)]))


def activation_variables(prefix: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What activation sets; variables of another environment that must go are set to nothing."""
    changed = activation.activated(prefix, environ)
    gone = {name: "" for name in environ if name not in changed}
    return gone | {name: value for name, value in changed.items() if environ.get(name) != value}


class about:  # noqa: N801 - used as a statement
    """Names the steps that an error is about."""

    def __init__(self, wanted: Wanted) -> None:
        self.steps = wanted.steps

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FatalError) and self.steps:
            listed = ", ".join(f"`{name}`" for name in self.steps)
            error.message = f"{'step' if len(self.steps) == 1 else 'steps'} {listed}: {error.message}"
