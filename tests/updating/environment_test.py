from __future__ import annotations

import pytest

from envtag.cutoff import parse_cutoff
from envtag.output import Output
from envtag.updating.environment import Wanted, update
from envtag.updating.targets import parse_target
from support.story import HERE, MINOR, Story


def loose(story: Story) -> None:
    """State: `x` with `beta` 1.0 from PyPI, though its spec lets newer ones in."""
    story.resolve("x", requirements="beta<2\nalpha<2\n", options=("--platform", HERE, "--python", MINOR))
    (story.path / "envs/x/requirements.txt").write_text("beta\nalpha\n")
    story.call("update", "x")
    story.commit("x")


@pytest.fixture
def found(make_story):
    story = make_story(loose)

    def find(*targets: str, cutoff: str = "", exempt: frozenset[str] = frozenset()):
        wanted = Wanted(targets=tuple(map(parse_target, targets)), cutoff=cutoff, exempt=exempt)
        with story.registry() as registry:
            return update(registry.environment("x"), wanted, registry=registry, config=story.config, output=Output())

    return find


def test_nothing_is_written_and_only_what_is_different_is_to_be(found):
    updated = found("beta")
    assert list(updated.files()) == [f"envs/x/{HERE}-lock.yml"]
    assert updated.is_changed
    assert updated.locks[HERE].request == updated.drafted.id == updated.environment.lock(HERE).request
    assert updated.locks[HERE].sources == ("requirements.txt",)
    assert not found().is_changed
    assert set(found("beta>=2").files()) == {"envs/x/requirements.txt", f"envs/x/{HERE}-lock.yml"}


def test_a_cutoff_is_of_this_update_and_no_part_of_the_request(found):
    old = parse_cutoff("2024-06-01")
    updated = found("beta", cutoff=old)
    assert not updated.is_changed
    assert updated.drafted.id == found().drafted.id
    updated = found("beta", cutoff=old, exempt=frozenset({"beta"}))
    assert [str(move) for move in updated.moves[HERE]] == ["beta 1.0 → 2.0"]
