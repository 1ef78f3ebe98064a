"""A published environment whose links can be broken, and what is said of it then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from envtag.store import Store, open_store
from support.story import HERE, Story

NAME = "mlp/tz"


def two_releases(story: Story) -> None:
    """State: `mlp/tz` with `v1` and `v2` of different packages, `stable` at `v1`; pushed, not published."""
    for tag, names in (("v1", "[prefixed, tzish]"), ("v2", "[tzish]")):
        text = f"channels: [conda-forge]\ndependencies: {names}\n"
        story.resolve(f"{NAME}:{tag}", environment=text, options=("--platform", HERE))
        if tag == "v1":
            story.call("alias", f"{NAME}:v1", f"{NAME}:stable")
        story.commit(tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A registry whose environment is published, and its store."""

    story: Story
    store: Store
    root: Path

    def verify(self, *arguments: str) -> list[dict[str, Any]]:
        """What `envtag verify` finds; its exit code must agree."""
        told = self.story.call("verify", "--json", *(arguments or ("--all",)), check=None)
        found: list[dict[str, Any]] = told.json
        assert told.code == (1 if found else 0)
        return found

    def links(self, *arguments: str) -> set[tuple[str, str]]:
        """Alias and link of each finding."""
        return {(item["alias"], item["link"]) for item in self.verify(*arguments)}

    def edit(self, key: str, **changes: Any) -> None:
        """Change fields of a JSON object in the store, past everything that would refuse it."""
        path = self.root / key
        document = json.loads(path.read_bytes())
        path.write_bytes(json.dumps({**document, **changes}).encode() + b"\n")

    def keys(self, prefix: str) -> list[str]:
        """The keys of the store that begin with a text."""
        return [entry.key for entry in self.store.list(prefix)]


@pytest.fixture
def published(make_story: Callable[..., Story]) -> Published:
    story = make_story(two_releases)
    story.call("publish")
    root = story.config.directories.default_store
    return Published(story=story, store=open_store(root.as_uri()), root=root)
