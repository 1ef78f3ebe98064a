from __future__ import annotations

from pathlib import Path

from envtag.errors import FatalError
from envtag.output import Output
from envtag.updating.every import Proposal


def told(
    capsys, *found: Proposal, monkeypatch, bodies: Path | None = None, as_json: bool = False
) -> tuple[int, str, str]:
    from types import SimpleNamespace
    from typing import Any

    from envtag.commands import update_every as module

    monkeypatch.setattr(module, "propose_every", lambda *_, **__: list(found))
    registry: Any = SimpleNamespace(names=list, remote=None)
    code = module.update_every(
        lambda _: None,  # type: ignore[arg-type,return-value]
        dry_run=False,
        pr_bodies=bodies,
        as_json=as_json,
        registry=registry,
        config=None,  # type: ignore[arg-type]
        output=Output(),
    )
    said = capsys.readouterr()
    return code, said.out, said.err


def test_what_failed_decides_the_exit_code_and_what_is_next_is_told(capsys, monkeypatch):
    fresh = Proposal(name="a", branch="envtag/update/a", state="fresh")
    same = Proposal(name="b", branch="envtag/update/b", state="unchanged", commit="c" * 40)
    code, out, err = told(capsys, fresh, same, monkeypatch=monkeypatch)
    assert (code, out) == (0, "a: nothing is newer\nb: envtag/update/b has it already\n")
    assert "0 of 2 environments with something newer, 0 failed" in err
    failed = Proposal(name="c", branch="envtag/update/c", state="failed", error=FatalError("no way", "", "because"))
    code, out, _ = told(capsys, fresh, failed, monkeypatch=monkeypatch)
    assert (code, out.splitlines()[1]) == (1, "c: failed: no way")
    proposed = Proposal(name="d", branch="envtag/update/d", state="proposed", commit="c" * 40)
    _, out, err = told(capsys, proposed, monkeypatch=monkeypatch)
    assert "on envtag/update/d at cccccccccccc" in out
    assert "next: `git push origin envtag/update/d`" in err
