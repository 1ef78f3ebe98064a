"""What every command needs, made when it is first asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.output import Output
    from envtag.registry import Registry
    from envtag.store import Store


@dataclass
class Session:
    """One run of the program.

    Attributes:
        where: `--registry`, empty where it was not given.
        quiet: `--quiet`.
        offline: `--offline` of the command that runs.
    """

    where: str = ""
    quiet: bool = False
    offline: bool = field(default=False)

    @cached_property
    def output(self) -> Output:
        """Where it is told."""
        from envtag.output import Output

        return Output(quiet=self.quiet)

    @cached_property
    def config(self) -> Config:
        """The client's settings."""
        from envtag.config import load

        return load()

    @cached_property
    def registry(self) -> Registry:
        """The registry: `--registry`, `ENVTAG_REGISTRY`, the config file, or upward from the working directory."""
        from envtag.registry import open_registry

        return open_registry(self.where, Path.cwd(), self.config, offline=self.offline)

    @cached_property
    def store(self) -> Store:
        """The store: `ENVTAG_STORE`, the config file, the registry's, or the embedded default."""
        from envtag.store import open_store

        default = self.config.directories.default_store.as_uri()
        return open_store(self.config.store or self.registry.settings.store or default)

    def find(self, reference: str) -> Found:
        """Look an environment up by what names it."""
        from envtag.lookup import find

        return find(reference, self.registry, self.config, os.environ)
