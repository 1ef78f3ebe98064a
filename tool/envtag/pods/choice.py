"""Which lock a pod takes: the one that was pinned for its platform, or what a name means now."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import DamagedError, FatalError
from envtag.names import Alias, FullId
from envtag.platforms import current_platform
from envtag.store import keys
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.manifest import Manifest
    from envtag.store import Store

_PINNED = re.compile(r"(?P<request>[0-9a-f]{40}):(?P<lock>[0-9a-f]{40})@(?P<manifest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The lock that a pod takes.

    Attributes:
        platform: This machine's.
        request: Its request id.
        lock: Its id.
        digest: SHA-256 of its manifest.
        name: The alias that led to it; empty where it has none.
        commit: The registry's commit that a name was read at just now; empty for what was pinned.
    """

    platform: str
    request: str
    lock: str
    digest: str
    name: str
    commit: str = ""

    @property
    def label(self) -> str:
        """What people call it."""
        return f"`{self.name}` ({self.request}:{self.lock})" if self.name else f"`{self.request}:{self.lock}`"

    def identity(self) -> dict[str, str]:
        """What is known only here."""
        found = {"id": f"{self.request}:{self.lock}", "platform": self.platform, "manifest": self.digest}
        return {**found, "commit": self.commit} if self.commit else found

    def manifest(self, store: Store) -> Manifest:
        """Its manifest.

        Raises:
            FatalError: The store does not have it, or it is of another lock.
            DamagedError: It has other bytes.
        """
        from envtag.manifest import parse

        key = keys.manifest_key(self.digest)
        where = f"`{key}` in {store.url}"
        data = store.read(key)
        if data is None:
            raise FatalError(
                f"{where} is not there, and it is the manifest of {self.label}",
                "publish the environment again, or deploy the flow again",
            )
        if sha256_hex(data) != self.digest:
            raise DamagedError(
                f"{where}, the manifest of {self.label}, has other bytes than its name promises",
                "it was tampered with or is damaged: remove it there and publish the environment again",
            )
        found = parse(data, where)
        if (found.lock.id, found.lock.request, found.lock.platform) != (self.lock, self.request, self.platform):
            raise FatalError(
                f"{where} is of `{found.lock.request}:{found.lock.id}` for {found.lock.platform}, not of {self.label} "
                f"for {self.platform}",
                "do not use it, and tell the registry's owners",
            )
        return found


def choose(pinned: Mapping[str, str], name: str, store: Store, config: Config) -> Choice:
    """The lock for this machine.

    Args:
        pinned: Platform to `REQUEST:LOCK@MANIFEST`; empty where a name is looked up now.
        name: The alias or full id as the flow has it; `@{VAR}` is substituted from this process's variables.
        store: What says of names what they mean.
        config: The pod's settings; its memory of tags is compared and extended.

    Raises:
        FatalError: There is no such environment, or it is not for this machine.
    """
    platform = current_platform()
    if not pinned:
        return _looked_up(name, platform, store, config)
    if platform in pinned:
        return _pinned(pinned[platform], platform, name)
    listed = ", ".join(f"`{item}`" for item in sorted(pinned))
    raise FatalError(
        f"this node is `{platform}`, and {f'`{name}`' if name else 'the environment'} is pinned for {listed}",
        "let the step's pods go to such nodes only, or lock it for this platform and deploy again",
    )


def _pinned(text: str, platform: str, name: str) -> Choice:
    found = _PINNED.fullmatch(text)
    if found is None:
        raise FatalError(f"`{text}` is not `REQUEST:LOCK@MANIFEST`", "deploy the flow again")
    return Choice(platform=platform, request=found["request"], lock=found["lock"], digest=found["manifest"], name=name)


def _looked_up(name: str, platform: str, store: Store, config: Config) -> Choice:
    from envtag.stored import find_stored

    found = find_stored(name, store, config.directories.known_tags, os.environ, ())
    if found is None:
        raise FatalError(
            f"`{name}` is not in {store.url}, and that is where a step that fetches at execution looks",
            "publish it, and let the merge's workflow write its pointer: `envtag publish`",
        )
    lock = found.lock_id(platform)
    request = found.replica.request or found.lock(platform).request
    alias = found.alias
    label = f"{alias.name}:{alias.tag}" if isinstance(alias, Alias) and not _is_id(name) else ""
    return Choice(
        platform=platform,
        request=request,
        lock=lock,
        digest=found.replica.manifests[platform],
        name=label,
        commit=found.commit,
    )


def _is_id(name: str) -> bool:
    try:
        FullId(request=name.partition(":")[0], lock=name.partition(":")[2])
    except FatalError:
        return False
    return True
