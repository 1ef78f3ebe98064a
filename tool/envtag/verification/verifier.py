"""One verification: which tags, in which order, and what they need of the store, each thing looked at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import Alias, alias_from_ref
from envtag.registry.release import check_record
from envtag.registry.tags import tag_refs
from envtag.store import keys
from envtag.util.text import number_of
from envtag.verification.chain import Chain, Wanted
from envtag.verification.findings import Report
from envtag.verification.objects import Objects
from envtag.verification.pointers import Pointers

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Registry
    from envtag.registry.tags import TagRefs
    from envtag.store import Store


class Verifier:
    """What a verification needs, asked for once.

    Args:
        registry: The registry; its remote is asked.
        store: The store.
        config: The client's settings.
        output: Where progress is told.
        wanted: Only this immutable tag is of interest.

    Raises:
        FatalError: The remote cannot be reached.
    """

    def __init__(
        self, *, registry: Registry, store: Store, config: Config, output: Output, wanted: Alias | None = None
    ) -> None:
        self.report = Report()
        self._registry = registry
        self._store = store
        self._output = output
        self._refs: TagRefs = tag_refs(registry, wanted)
        branch = registry.fetch_default_branch()
        self._chain = Chain(
            registry=registry,
            store=store,
            config=config,
            refs=self._refs,
            branch=branch,
            rule=registry.signing_rule(),
            report=self.report,
        )
        shallow = registry.git.run("rev-parse", "--is-shallow-repository").text() == "true"
        self._branch = branch
        self._pointers = Pointers(chain=self._chain, shallow=shallow)

    def every(self) -> list[Alias]:
        """Every tag of the registry: released ones, lines of ledgers without a tag, and what moves."""
        registry = self._registry
        found: dict[Alias, None] = {}
        names = self._names()
        for name in names:
            current = self._chain.current(Alias(name=name))
            if current is not None:
                try:
                    ledger = current.ledger
                except FatalError as error:
                    self.report.broken(
                        Alias(name=name), "ledger", current.where("tags.yml"), expected="a ledger", found=error.message
                    )
                    continue
                tags = [*(release.tag for release in ledger.releases), *ledger.pointers, "latest"]
                found.update({Alias(name=name, tag=tag): None for tag in tags})
        for alias in self._refs.aliases():
            if alias.name in names or any(_is_ours(registry, alias, sha) for sha in self._refs.objects(alias)):
                found[alias] = None
        self._refuse_strays(names)
        return sorted(found, key=lambda alias: (alias.name, alias.tag))

    def run(self, aliases: Iterable[Alias], *, deep: bool) -> None:
        """Check tags, and what they need of the store; what a pointer points at is checked with it.

        Args:
            aliases: Immutable and mutable tags.
            deep: Hash every package.
        """
        waiting = list(dict.fromkeys(aliases))
        seen = set(waiting)
        wanted: list[Wanted] = []
        with self._output.task(f"checking {number_of(len(waiting), 'tag')}", len(waiting)) as task:
            for alias in waiting:  # grows while it is read
                if alias.mutable:
                    found, target = self._pointers.pointer(alias)
                    wanted += found
                    if target is not None and target not in seen:
                        seen.add(target)
                        waiting.append(target)
                else:
                    wanted += self._chain.release(alias)
                task.advance()
        Objects(store=self._store, output=self._output, report=self.report).check(wanted, deep=deep)

    def _names(self) -> set[str]:
        """The environments on the default branch and on those of open namespaces."""
        found = set(self._registry.open_names())
        if self._branch is not None:
            paths = self._registry.git.list_tree(self._branch, "envs")
            found |= {path[len("envs/") : -len("/envtag.yml")] for path in paths if path.endswith("/envtag.yml")}
        return found

    def _refuse_strays(self, names: set[str]) -> None:
        """Replicas of released tags that git does not have, of environments that this registry has."""
        known = {(alias.name, alias.tag) for alias in self._refs.aliases()}
        for entry in self._store.list(keys.TAGS):
            text = entry.key.removeprefix(keys.TAGS).removesuffix(".json")
            alias = alias_from_ref(f"refs/tags/{text}")
            if alias is not None and alias.name in names and (alias.name, alias.tag) not in known:
                self.report.broken(
                    alias, "replica", entry.key, expected="a git tag of which it is the replica", found="none",
                    hint="another registry uses this store and name, the replica was forged, or the tag was removed",
                )  # fmt: skip


def _is_ours(registry: Registry, alias: Alias, sha: str) -> bool:
    """Whether a tag is a release of an environment that the default branch has no more."""
    try:
        tag = registry.git.tag(sha)
        return tag is not None and check_record(alias, tag) is not None
    except FatalError:  # a tag of the repository's own that only looks like one of ours
        return False
