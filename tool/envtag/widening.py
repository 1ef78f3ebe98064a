"""The request of an environment that is there, for more platforms: its locks stay what they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag.authoring import Draft, answered
from envtag.errors import FatalError
from envtag.found import InRegistry
from envtag.lookup import find
from envtag.platforms import check_platform
from envtag.spec_files import SpecFiles

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Environment, Registry
    from envtag.settings import EnvironmentSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An environment whose request is taken over.

    Attributes:
        reference: As it was named.
        name: The environment's name.
        environment: Its files, at the revision that the reference means.
    """

    reference: str
    name: str
    environment: Environment

    def files(self) -> SpecFiles:
        """Its spec files."""
        return SpecFiles(specs=self.environment.settings.spec, files=self.environment.spec_files())

    def settings(self, platforms: Sequence[str]) -> EnvironmentSettings:
        """Its settings with more platforms."""
        known = self.environment.settings.platforms
        asked = [check_platform(name) for name in platforms]
        return replace(self.environment.settings, platforms=tuple(dict.fromkeys((*known, *asked))))

    def check(self, drafted: Draft, present: Environment | None, aliases: Sequence[str]) -> None:
        """Refuse where its locks do not answer what is asked for, or where a name has moved on since.

        Args:
            drafted: Its request for more platforms.
            present: What its name is in the work tree.
            aliases: What the result is to be called; none for its name.

        Raises:
            FatalError: It is so.
        """
        fresh = answered(drafted, self.environment)
        stale = [name for name in self.environment.platforms if name not in fresh]
        if stale:
            raise FatalError(
                f"the locks of `{self.reference}` are not of its spec today ({', '.join(stale)}): "
                "its base has moved, or its spec was edited",
                f"`envtag update {self.name}` first, or name a release whose base is one",
            )
        if present is not None and not aliases:
            now = answered(drafted, present)
            if any(name not in now or now[name].id != fresh[name].id for name in fresh):
                raise FatalError(
                    f"`{self.name}` has moved on since `{self.reference}`",
                    "say what to call the result: `--alias NAME[:TAG]`",
                )


def source_of(reference: str, registry: Registry, config: Config) -> Source:
    """The environment that `--from` names.

    Raises:
        FatalError: There is none, or it has no spec here.
    """
    found = find(reference, registry, config, os.environ)
    if not isinstance(found, InRegistry):
        raise FatalError(f"`{reference}` is known by its locks alone", "name an environment of the registry")
    return Source(reference=reference, name=found.environment.name, environment=found.environment)
