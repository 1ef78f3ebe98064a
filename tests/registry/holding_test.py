from __future__ import annotations

from pathlib import Path

import pytest

from envtag import config
from envtag.registry import Registry, open_registry
from envtag.registry.holding import names_holding


@pytest.fixture
def sample(make_sample):
    return make_sample("mlp/base", "mlp/team/base", "mlp/team2/base", "data/etl")


def _open(sample, tmp_path: Path) -> Registry:
    return open_registry(str(sample.repo.path), tmp_path, config.load())


@pytest.fixture
def registry(sample, tmp_path: Path):
    with _open(sample, tmp_path) as found:
        yield found


def test_a_lock_id_leads_to_the_environments_that_hold_it(registry: Registry, sample):
    assert names_holding(registry, "e" * 40) == ["data/etl"]
    assert names_holding(registry, "7" * 40) == []


def test_a_ledger_that_holds_a_lock_id_comes_first(sample, tmp_path: Path):
    sample.add("a/lock", lock="7" * 40)
    sample.add("b/ledger", "v1", lock="7" * 40)
    with _open(sample, tmp_path) as registry:
        assert names_holding(registry, "7" * 40) == ["b/ledger", "a/lock"]
