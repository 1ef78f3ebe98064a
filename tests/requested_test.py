from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from envtag.errors import FatalError
from envtag.requested import requested
from support.story import HERE, Story

TEXT = "channels: [conda-forge]\ndependencies:\n- tzish\n- prefixed  # [linux]\n- beta  # [osx]\n"


def locked(story: Story) -> None:
    """State: `mlp/sel` of a spec with selectors, locked for two platforms."""
    story.resolve("mlp/sel:v1", environment=TEXT, options=("--platform", HERE, "--platform", "osx-arm64"))


def ask(story: Story, platform: str = "") -> list[str]:
    """What is asked for, of the files as they are now."""
    with story.registry() as registry:
        return requested(registry.environment("mlp/sel"), story.config.directories.requested, platform)


def test_it_is_remembered_for_every_platform_and_then_no_spec_is_parsed(
    make_story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch
):
    story = make_story(locked)
    first = ask(story)
    assert first[-3:] == ["conda::tzish", "conda::prefixed", "conda::beta"]
    monkeypatch.setitem(sys.modules, "envtag.spec", None)  # who imports it fails
    assert ask(story) == first
    assert ask(story, HERE) == [*first[:-3], "conda::tzish", "conda::prefixed"]
    assert ask(story, "osx-arm64") == [*first[:-3], "conda::tzish", "conda::beta"]


def test_a_file_that_changes_is_read_again(make_story: Callable[..., Story]):
    story = make_story(locked)
    before = ask(story)
    spec = story.path / "envs" / "mlp" / "sel" / "environment.yml"
    text = spec.read_text("utf-8")
    spec.write_text(text.replace("- tzish", "- tzish\n- alpha"), "utf-8")
    assert set(ask(story)) - set(before) == {"conda::alpha"}
    spec.write_text(text, "utf-8")
    assert ask(story) == before
    spec.unlink()
    with pytest.raises(FatalError, match="is not there"):
        ask(story)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"files": 1, "asked": []}', b'{"files": {}, "asked": [1]}'])
def test_a_memory_that_is_damaged_or_cannot_be_written_is_as_good_as_none(
    make_story: Callable[..., Story], content: bytes
):
    story = make_story(locked)
    before = ask(story)
    memory = story.config.directories.requested
    (entry,) = memory.iterdir()
    entry.write_bytes(content)
    assert ask(story) == before
    entry.unlink()
    memory.rmdir()
    memory.write_bytes(b"in the way")
    assert ask(story) == before
