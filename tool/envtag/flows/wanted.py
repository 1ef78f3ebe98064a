"""What one step of a flow is to run in, and what that came to; as values, and as the JSON between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.found import Found
    from envtag.lock import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        key: The asker's own name for it; answers are given by it.
        steps: The steps that want it, for messages.
        reference: Alias or full id; empty for none.
        platform: Where it is for; empty for this machine's.
        conda: conda package (`name`, or `channel::name`) to version, empty for any.
        channels: conda channels, in order.
        pypi: PyPI package (`name`, or `name[extra]`) to version, empty for any.
        extra_indices: Further PyPI indices, in order.
        python: A constraint on Python; empty for none.
        sys_packages: Virtual package to version.
        needs: PyPI package that must be in it, to a constraint on its version.
        make: Make it on this machine.
        share: See to it that the store has all of it.
    """

    key: str
    steps: tuple[str, ...] = ()
    reference: str = ""
    platform: str = ""
    conda: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    pypi: Mapping[str, str] = field(default_factory=dict)
    extra_indices: tuple[str, ...] = ()
    python: str = ""
    sys_packages: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    make: bool = True
    share: bool = False

    def adds(self, lock: Lock) -> bool:
        """Whether it asks for more than a lock of what it names has."""
        if self.conda or self.pypi or not self.python:
            return bool(self.conda or self.pypi)
        from envtag.engines.python_version import permits  # with all that reads specs, which most steps have no use for
        from envtag.spec import python_constraint

        return not (lock.python and permits(python_constraint(self.python), lock.python))

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Wanted:
        """Read one from JSON values.

        Raises:
            FatalError: It is of another version of the asker.
        """
        lists = {name: tuple(document.get(name, ())) for name in ("steps", "channels", "extra_indices")}
        try:
            return cls(**{**document, **lists})
        except TypeError as error:
            raise FatalError(
                f"what a flow's step asks for is not understood: {error}", "install one version of envtag"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a derived environment stands on.

    Attributes:
        found: The named environment.
        lock: Its lock on the platform in question.
    """

    found: Found
    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it came to.

    Attributes:
        id: The full id.
        alias: The environment's name and tag; empty for one that has none.
        commit: The registry's commit that it was read at; empty where there is none.
        platform: The platform of its lock.
        python: The minor version of its Python.
        prefix: Where it is on this machine; empty if it was not to be made.
        argv: The command that is its Python, after its activation scripts.
        variables: What activation sets.
        manifest: SHA-256 of its manifest in the store; empty if it was not to be shared.
        store: The store's URL, likewise.
    """

    id: str
    alias: str = ""
    commit: str = ""
    platform: str
    python: str
    prefix: str = ""
    argv: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    manifest: str = ""
    store: str = ""

    def document(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return asdict(self)
