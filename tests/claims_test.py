"""What only `Claims` itself shows; who takes a tag from whom is in `commands/resolve_test.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envtag.claims import Claims
from envtag.errors import UnreachableError
from envtag.names import Alias
from envtag.output import Output


def test_a_remote_that_cannot_be_reached_does_not_stop_a_draft(story, capsys: pytest.CaptureFixture[str]):
    with story.registry() as registry:
        assert registry.remote is not None
        shutil.rmtree(Path(registry.git.remote_url(registry.remote).removeprefix("file://")))
        with pytest.raises(UnreachableError):
            registry.released(Alias(name="team/new", tag="v1"))
        claims = Claims(registry=registry, output=Output())
        assert claims.check("team/new", ["v1", "v2"], None, None) == []  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert "whether `team/new:v1` is free is checked when it is published" in told
    assert "whether `team/new:v2` is free is checked when it is published" in told
