"""A lock: every package of one environment on one platform, by hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from envtag import identity

if TYPE_CHECKING:
    from envtag.package import Package
    from envtag.request import Interpreter


class Lock(NamedTuple):
    """What was resolved for one platform.

    Attributes:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        request: The request id that it answers (40 hex digits).
        interpreter: Where Python comes from: `conda` or `uv`.
        python: The minor version of Python (`3.11`), empty for a conda environment without one.
        packages: Sorted by manager and name, each name once per manager; checked by `read` and `write`.
        channels: Canonical channels in order, as they were asked for.
        sources: File names of the specs, relative to the lock.
        content_hash: conda-lock's own hash of the request on this platform (64 hex digits).
        base: Reference of the environment that it extends, empty for none.
        base_lock: Lock id of that environment on this platform, empty for none.
        virtual_packages: The virtual packages it was solved with, name to `VERSION` or `VERSION BUILD`.
        imported: What it was imported from and never solved (`conda-lock conda-lock.yml sha256:…`), empty for nothing.
    """

    platform: str
    request: str
    interpreter: Interpreter
    python: str
    packages: tuple[Package, ...]
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    content_hash: str = ""
    base: str = ""
    base_lock: str = ""
    virtual_packages: Mapping[str, str] = {}
    imported: str = ""

    @property
    def id(self) -> str:
        """The lock id: 40 hex digits over platform, interpreter and every package's identity."""
        return identity.lock_id(
            platform=self.platform, interpreter=self.interpreter, python=self.python, packages=self.packages
        )

    def by_manager(self, manager: str) -> tuple[Package, ...]:
        """The packages of one world, in order."""
        return tuple(package for package in self.packages if package.manager == manager)

    @property
    def kind(self) -> str:
        """`conda-only`, `pypi-only` or `mixed`, as `show` prints it."""
        managers = {package.manager for package in self.packages}
        if managers == {"pypi"} or (not managers and self.interpreter == "uv"):
            return "pypi-only"
        return "mixed" if "pypi" in managers else "conda-only"
