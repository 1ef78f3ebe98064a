from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import TagObject
from envtag.ledger import Ledger, Release
from envtag.names import Alias
from envtag.record import TagRecord
from envtag.registry import Environment
from envtag.registry.environment import WorkTreeFiles
from envtag.registry.release import check_ledger, check_record

A, B, M = "a" * 40, "b" * 40, "c" * 64
ALIAS = Alias(name="mlp/base", tag="v1")
RECORD = TagRecord(
    name="mlp/base", tag="v1", request=A, locks={"linux-64": A, "win-64": B}, manifests={"linux-64": M, "win-64": M}
)
RELEASE = Release(tag="v1", request=A, locks={"win-64": B, "linux-64": A})


def _tag(name: str = "mlp/base@v1", message: str = RECORD.message()) -> TagObject:
    return TagObject(sha="d" * 40, name=name, commit="e" * 40, tagger="", date="", message=message)


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., Environment]:
    """Make an environment whose ledger holds releases."""

    def make(*releases: Release) -> Environment:
        ledger = tmp_path / "envs" / "mlp" / "base" / "tags.yml"
        ledger.parent.mkdir(parents=True)
        ledger.write_bytes(Ledger(releases=releases).to_bytes())
        return Environment(name="mlp/base", revision="e" * 40, platforms=(), files=WorkTreeFiles(tmp_path))

    return make


def test_a_chain_that_holds(environment: Callable[..., Environment]):
    record = check_record(ALIAS, _tag())
    assert record == RECORD
    check_ledger(ALIAS, record, environment(RELEASE))


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        (_tag(name="mlp/base@v2"), "was made as `mlp/base@v2`"),
        (_tag(name="mlp/base/v1"), "was made as `mlp/base/v1`"),
        (_tag(message="hello\n"), "holds no record"),
        (_tag(message=RECORD.message().replace("mlp/base", "mlp/other")), "is of `mlp/other:v1`"),
        (_tag(message=RECORD.message().replace(":v1", ":v2").replace('"v1"', '"v2"')), "is of `mlp/base:v2`"),
    ],
)
def test_a_tag_of_something_else_is_named(tag: TagObject, said: str):
    with pytest.raises(FatalError, match=said):
        check_record(ALIAS, tag)


@pytest.mark.parametrize(
    ("releases", "said"),
    [
        ([], "does not release `v1`"),
        ([Release(tag="v2", request=A, locks=RELEASE.locks)], "does not release `v1`"),
        ([Release(tag="v1", request=B, locks=RELEASE.locks)], f"of request {B}"),
        ([Release(tag="v1", request=A, locks={"linux-64": B, "win-64": B})], f"for linux-64 with {B}"),
        ([Release(tag="v1", request=A, locks={"linux-64": A})], "for win-64 with no lock"),
        ([Release(tag="v1", request=A, locks={**RELEASE.locks, "osx-64": A})], "record says no lock"),
    ],
)
def test_a_ledger_that_says_something_else_is_named(
    releases: list[Release], said: str, environment: Callable[..., Environment]
):
    with pytest.raises(FatalError, match=said) as caught:
        check_ledger(ALIAS, RECORD, environment(*releases))
    assert "envs/mlp/base/tags.yml at eeeeeeeeeeee" in caught.value.message
