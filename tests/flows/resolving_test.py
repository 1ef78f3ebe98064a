from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from envtag import solve
from envtag.errors import FatalError, UnsolvableError
from envtag.flows.resolving import Resolved, Resolver
from envtag.flows.sharing import Sharing
from envtag.flows.shelf import Shelf
from envtag.flows.trusted import Trust
from envtag.flows.wanted import Ground, Wanted
from envtag.lookup import find
from envtag.output import Output
from envtag.store import Store, open_store
from support.flows import named
from support.story import HERE, MINOR, Story

NEEDS = {"requests": ">=2.21.0"}


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    return make_story(named)


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that solvers were asked for; they answer for real."""
    asked: list[str] = []
    real = solve.solve

    def watched(request: Any, platforms: Any, **options: Any) -> Any:
        asked.append(platforms[0])
        return real(request, platforms, **options)

    monkeypatch.setattr(solve, "solve", watched)
    return asked


def resolve(
    story: Story,
    wanted: Wanted,
    *,
    on: str = "",
    needs: Mapping[str, str] = NEEDS,
    trust: Trust = Trust(),  # noqa: B008 - frozen
    store: Store | None = None,
) -> Resolved:
    def opened() -> Store:
        if store is None:
            raise FatalError("the store is not to be asked")
        return store

    with story.registry() as registry:
        resolver = Resolver(
            defaults=lambda: registry.settings,
            open_store=opened,
            trust=trust,
            shelf=Shelf(story.config),
            config=story.config,
            output=Output(),
        )
        found = find(on, registry, story.config, {}) if on else None
        platform = wanted.platform or HERE
        return resolver.resolve(wanted, needs, Ground(found=found, lock=found.lock(platform)) if found else None)


def test_the_packages_of_what_is_extended_are_kept_exactly(story: Story, solves: list[str]):
    wanted = Wanted(key="k", steps=("train",), conda={"xgboost": "1.7.0"}, pypi={"fastapi": "0.95.0"})
    lock = resolve(story, wanted, on="mlp/bare:v1").manifest.lock
    with story.registry() as registry:
        base = registry.environment("mlp/bare").lock(HERE)
    assert set(base.packages) <= set(lock.packages)
    versions = {(item.manager, item.name): item.version for item in lock.packages}
    assert versions["conda", "numpy"] == "1.24.0"  # with 1.21.5 as good for xgboost
    assert versions["conda", "xgboost"] == "1.7.0"
    assert versions["pypi", "fastapi"] == "0.95.0"
    assert ("pypi", "requests") in versions
    assert solves == [HERE]


def test_what_was_resolved_is_not_solved_again(story: Story, solves: list[str]):
    wanted = Wanted(key="k", pypi={"fastapi": "0.95.0"}, python="3.11")
    first = resolve(story, wanted)
    assert first.fresh
    second = resolve(story, wanted)
    assert (second.manifest.lock.id, second.fresh) == (first.manifest.lock.id, False)
    assert len(solves) == 1


def test_those_who_ask_for_the_same_at_once_solve_it_once(story: Story, solves: list[str]):
    wanted, found = Wanted(key="k", conda={"pandas": "1.5.0"}), []
    threads = [Thread(target=lambda: found.append(resolve(story, wanted, on="mlp/base:v1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({item.manifest.lock.id for item in found}) == 1
    assert (len(found), len(solves)) == (4, 1)


def test_a_resolution_in_the_store_is_used_if_its_author_is_believed(
    story: Story, tmp_path: Path, solves: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    store, wanted = open_store((tmp_path / "store").as_uri()), Wanted(key="k", conda={"pandas": "1.5.0"})
    manifest = resolve(story, wanted, on="mlp/base:v1").manifest
    Sharing(open_store=lambda: store, config=story.config, output=Output(), user="alice", name="flows/f").share(
        manifest.lock
    )
    other = Story(
        place=story.place,
        repo=story.repo,
        bare=story.bare,
        index_url=story.index_url,
        environ={**story.environ, "ENVTAG_HOME": str(tmp_path / "other")},
    )
    believed = resolve(other, wanted, on="mlp/base:v1", trust=Trust(users=frozenset({"alice"})), store=store)
    assert (believed.manifest.lock.id, believed.fresh) == (manifest.lock.id, False)
    assert len(solves) == 1
    assert "was resolved by alice" in capsys.readouterr().err
    monkeypatch.setattr("envtag.flows.shelf.Shelf.newest", lambda *_: None)
    assert resolve(other, wanted, on="mlp/base:v1", trust=Trust(users=frozenset({"bob"})), store=store).fresh
    assert len(solves) == 2


def test_a_store_that_does_not_answer_is_told_and_done_without(story: Story, capsys: pytest.CaptureFixture[str]):
    wanted = Wanted(key="k", conda={"pandas": "1.5.0"})
    assert resolve(story, wanted, on="mlp/base:v1", trust=Trust(anyone=True)).fresh
    assert "resolutions in the store are not used: the store is not to be asked" in capsys.readouterr().err


def test_what_stands_against_the_base_is_told(story: Story):
    wanted = Wanted(key="k", conda={"numpy": "1.24.0"})
    with pytest.raises(UnsolvableError, match=r"numpy 1\.21\.5.* of the base stands against it"):
        resolve(story, wanted, on="mlp/base:v1")


def test_what_was_resolved_and_made_the_default_is_what_a_step_gets_that_asks_for_the_same(
    story: Story, solves: list[str]
):
    spec = story.spec("pandas.yml", "channels: [conda-forge]\ndependencies: [pandas ==1.5.0]\n")
    words = ("-f", str(spec), "--platform", HERE, "--python", MINOR, "--alias", "team/pandas")
    story.call("environment", "resolve", *words, "--set-default")
    before = len(solves)
    wanted = Wanted(key="k", conda={"pandas": "1.5.0"}, channels=("conda-forge",), python=MINOR)
    found = resolve(story, wanted)
    with story.registry() as registry:
        assert found.manifest.lock.id == registry.environment("team/pandas").lock(HERE).id
    assert (found.fresh, len(solves)) == (False, before)
