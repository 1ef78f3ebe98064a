from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import metaflow
import pytest
from metaflow.client import core

from metaflow_extensions.envtag.plugins.envtag_env.pathspecs import PathspecError, recorded_at

assert metaflow


class Item:
    """A part of the client's answers: a task, a step, a run or a flow, as far as they are asked."""

    def __init__(self, path: str, parts: dict[str, Any]) -> None:
        self.pathspec = path
        self.metadata_dict = parts
        self.task = parts.get("task")
        self.end_task = parts.get("end")
        self.created_at = datetime.now(timezone.utc)

    def __iter__(self) -> Any:
        return iter(self.metadata_dict.get("runs", ()))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Item]:
    """Pathspec to what the client finds there; whoever asks must look beyond the namespace."""
    found: dict[str, Item] = {}

    def ask(path: str, *, _namespace_check: bool, _current_metadata: str | None) -> Item:
        assert not _namespace_check
        if path not in found:
            raise core.MetaflowNotFound(f"{path} does not exist")
        return found[path]

    for name in ("Flow", "Run", "Step", "Task"):
        monkeypatch.setattr(core, name, ask)
    return found


def task(path: str, identity: str = "a:b") -> Item:
    return Item(path, {"envtag_id": identity} if identity else {})


def refused(path: str) -> str:
    with pytest.raises(PathspecError) as caught:
        recorded_at(path)
    return str(caught.value)


def test_a_step_is_its_task(known: dict[str, Item]):
    known["F/1/train"] = Item("F/1/train", {"task": task("F/1/train/3")})
    known["F/1/train/3"] = task("F/1/train/3", "c:d")
    assert recorded_at("F/1/train")["envtag_id"] == "a:b"
    assert recorded_at("F/1/train/3")["envtag_id"] == "c:d"


def test_a_run_is_its_end_step_and_a_flow_its_latest_run_that_has_one(known: dict[str, Item]):
    done = Item("F/1", {"end": task("F/1/end/3")})
    known["F/1"] = done
    known["F"] = Item("F", {"runs": [Item("F/2", {}), done]})
    assert recorded_at("F/1")["envtag_id"] == "a:b"
    assert recorded_at("F")["envtag_id"] == "a:b"


@pytest.mark.parametrize("path", ["", "F//x", "F/1/s/2/artifact"])
def test_what_is_no_pathspec_is_refused(path: str):
    assert "is not a pathspec" in refused(path)


def test_what_leads_nowhere_is_told(known: dict[str, Item]):
    assert "`F/9/s` cannot be found: F/9/s does not exist" in refused("F/9/s")
    known["F/1/s"] = Item("F/1/s", {})
    assert "has no task yet" in refused("F/1/s")
    known["F/1"] = Item("F/1", {})
    assert "has not reached its end step" in refused("F/1")
    known["F"] = Item("F", {"runs": [known["F/1"]]})
    assert "no run of `F` has reached its end step" in refused("F")


def test_a_step_outside_is_told(known: dict[str, Item]):
    known["F/1/s"] = Item("F/1/s", {"task": task("F/1/s/1", "")})
    assert "`F/1/s/1` recorded no environment" in refused("F/1/s")
