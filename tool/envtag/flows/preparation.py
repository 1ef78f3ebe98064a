"""Environments of a flow's steps: all of them looked up, then solved, shared and made side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.flows.needs import missing_needs
from envtag.flows.wanted import Answer, Wanted
from envtag.hydration import present, provide
from envtag.platforms import current_platform
from envtag.prefix import activation, layout
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.config import Config
    from envtag.found import Found
    from envtag.output import Output
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What it takes to prepare environments.

    Attributes:
        find: Looks up what a reference names.
        open_store: Gives the store; called only where it is needed.
        config: The client's settings.
        output: Where progress is told.
    """

    find: Callable[[str], Found]
    open_store: Callable[[], Store]
    config: Config
    output: Output

    def prepare(self, wanted: Sequence[Wanted]) -> dict[str, Answer]:
        """Prepare all that is asked for; key to answer.

        Raises:
            FatalError: One of them cannot be had; names the steps that want it.
        """
        looked_up = {item.key: self._look_up(item) for item in wanted}
        answers = in_parallel(lambda item: self._prepare(item, looked_up[item.key]), wanted)
        return {item.key: answer for item, answer in zip(wanted, answers, strict=True)}

    def _look_up(self, wanted: Wanted) -> Found | None:
        with _about(wanted):
            return self.find(wanted.reference) if wanted.reference else None

    def _prepare(self, wanted: Wanted, found: Found | None) -> Answer:
        with _about(wanted):
            platform = wanted.platform or current_platform()
            if found is None:
                raise FatalError("nothing is named", "name an environment")
            lock = found.lock(platform)
            missing = missing_needs(lock, wanted.needs)
            if missing:
                raise FatalError(f"`{found.alias}` lacks {', '.join(sorted(missing))}, which Metaflow needs")
            prefix = self._made(found, platform) if wanted.make else None
            return Answer(
                id=f"{lock.request}:{lock.id}",
                alias=str(found.alias),
                commit=found.commit,
                platform=platform,
                python=lock.python,
                prefix=str(prefix or ""),
                argv=interpreter(prefix) if prefix is not None else (),
                variables=activation_variables(prefix) if prefix is not None else {},
            )

    def _made(self, found: Found, platform: str) -> Path:
        there = present(found, platform, self.config)
        if there is not None:
            return there
        return provide(found, config=self.config, store=self.open_store(), offline=False, output=self.output)


def interpreter(prefix: Path) -> tuple[str, ...]:
    """The command that is a prefix's Python, after its activation scripts."""
    executable = layout.python(prefix, venv=layout.is_venv(prefix))
    return tuple(activation.wrap(prefix, [str(executable)]))


def activation_variables(prefix: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What activation sets beside PATH; variables of another environment that must go are set to nothing."""
    changed = activation.activated(prefix, environ)
    gone = {name: "" for name in environ if name not in changed}
    return gone | {name: value for name, value in changed.items() if environ.get(name) != value}


class _about:  # noqa: N801 - used as a statement
    """Names the steps that an error is about."""

    def __init__(self, wanted: Wanted) -> None:
        self.steps = wanted.steps

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FatalError) and self.steps:
            listed = ", ".join(f"`{name}`" for name in self.steps)
            error.message = f"{'step' if len(self.steps) == 1 else 'steps'} {listed}: {error.message}"
