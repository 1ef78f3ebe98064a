from __future__ import annotations

from collections.abc import Callable

import pytest

from support.checks import edit_text
from support.story import Story, released


def owned(story: Story) -> None:
    """State: `released`, with an owner for everything, and `mlp/base:v1` published on the remote."""
    released(story)
    (story.path / "CODEOWNERS").write_text("* @org/platform\n")
    story.commit("owners")
    story.tag("mlp/base", "v1")


@pytest.fixture
def registry(make_story: Callable[..., Story]) -> Story:
    """`owned`, on a branch that is about to change something; a check finds nothing as long as it does not."""
    story = make_story(owned)
    story.repo.git("checkout", "--quiet", "-b", "topic")
    return story


@pytest.fixture
def touched(registry: Story) -> Story:
    """`registry` with a comment in the spec of `mlp/base`: it is checked, and there is nothing to find."""
    edit_text(registry, "envs/mlp/base/environment.yml", "# The base.", "# The base of all.")
    return registry
