"""The links of a mutable tag: what git says that it means, and its replica in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.store import keys
from envtag.verification.chain import Wanted

if TYPE_CHECKING:
    from envtag.names import Alias
    from envtag.registry import Environment
    from envtag.replicas import Replica
    from envtag.verification.chain import Chain

_HINT = "remove the replica, and publish the environment again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointers:
    """Mutable tags of one registry.

    Attributes:
        chain: What checks the releases that they point at.
        shallow: The history here is not whole: which commit is before another cannot be told.
    """

    chain: Chain
    shallow: bool

    def pointer(self, alias: Alias) -> tuple[list[Wanted], Alias | None]:
        """Check a mutable tag.

        Returns:
            The manifests that it needs, and the release that it points at (None for `latest`).
        """
        report = self.chain.report
        report.pointers += 1
        current = self.chain.current(alias)
        if current is None:
            report.broken(
                alias, "pointer", f"envs/{alias.name}", found="none",
                expected=f"an environment on {self.chain.place(alias.name)}",
                hint="`envtag list` shows what there is",
            )  # fmt: skip
            return [], None
        target = None
        if alias.tag == "latest":
            for platform in current.platforms:
                where = current.where(f"{platform}-lock.yml")
                report.tried(
                    lambda name=platform: current.lock(name),  # type: ignore[misc]  # binds the loop's value
                    alias, "lock", where, expected="a lock", platform=platform,
                )  # fmt: skip
        else:
            pointed = current.ledger.pointers.get(alias.tag)
            if pointed is None:
                report.broken(
                    alias, "pointer", current.where("tags.yml"), expected=f"a line for `{alias.tag}`", found="none",
                    hint=f"point it at a release: `envtag alias {alias.name}:TAG {alias}`",
                )  # fmt: skip
            else:
                target = type(alias)(name=alias.name, tag=pointed)
        return self._replica(alias), target

    def _replica(self, alias: Alias) -> list[Wanted]:
        report = self.chain.report
        key = keys.pointer_key(alias)
        before = len(report.findings)
        found = self.chain.replica(alias, key, "pointer")
        if found is None:
            if len(report.findings) == before:
                report.notes.append(f"`{alias}` has no replica in {self.chain.store.url} (`{key}`)")
            return []
        meant = self._meant(alias, key, found)
        if meant is None or report.differing(alias, "pointer", f"locks of {key}", meant, found.locks):
            return []
        if set(found.manifests) != set(found.locks):
            report.broken(
                alias, "pointer", key, expected=f"manifests for {', '.join(sorted(found.locks))}",
                found=", ".join(sorted(found.manifests)) or "none", hint=_HINT,
            )  # fmt: skip
            return []
        return [
            Wanted(alias, platform, digest, found.locks[platform])
            for platform, digest in sorted(found.manifests.items())
        ]

    def _meant(self, alias: Alias, key: str, found: Replica) -> Mapping[str, str] | None:
        """The locks that git has for a mutable tag at the commit that its replica names."""
        chain, report = self.chain, self.chain.report
        expected = f"a commit of {chain.place(alias.name)} that holds `{alias.name}`"
        if not self.shallow and not chain.registry.git.is_ancestor(found.commit, chain.head(alias.name) or ""):
            report.broken(alias, "pointer", key, expected=expected, found=found.commit[:12], hint=_HINT)
            return None
        environment = report.tried(
            lambda: chain.registry.environment(alias.name, found.commit), alias, "pointer", key, expected=expected
        )
        if environment is None:
            return None
        return report.tried(
            lambda: _locks(alias, environment), alias, "pointer", key, expected=f"what `{alias}` is at its commit"
        )


def _locks(alias: Alias, environment: Environment) -> Mapping[str, str]:
    if alias.tag == "latest":
        return environment.lock_ids()
    ledger = environment.ledger
    release = ledger.release(ledger.pointers.get(alias.tag, ""))
    if release is None:
        raise FatalError(f"{environment.where('tags.yml')} does not point `{alias.tag}` at a release", _HINT)
    return release.locks
