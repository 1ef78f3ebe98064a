from __future__ import annotations

import os
from pathlib import Path
from threading import Barrier, Thread

from metaflow_extensions.envtag.plugins.envtag_env.tree import CODE, _kept


def files_in(place: Path, **contents: str) -> list[tuple[str, str]]:
    place.mkdir(exist_ok=True)
    found = []
    for name, text in contents.items():
        (place / f"{name}.py").write_text(text)
        found.append((str(place / f"{name}.py"), f"{CODE}/pack/{name}.py"))
    return found


def test_the_same_files_are_laid_out_once(tmp_path: Path):
    files = files_in(tmp_path / "source", a="1", b="2")
    first = _kept(files, str(tmp_path / "cache"))
    (Path(first) / CODE / "pack" / "__pycache__").mkdir()
    assert _kept(list(reversed(files)), str(tmp_path / "cache")) == first
    assert (Path(first) / CODE / "pack" / "__pycache__").is_dir()
    assert (Path(first) / CODE / "pack" / "a.py").read_text() == "1"


def test_other_files_have_a_place_of_their_own(tmp_path: Path):
    files = files_in(tmp_path / "source", a="1", b="2")
    assert _kept(files, str(tmp_path / "cache")) != _kept(files[:1], str(tmp_path / "cache"))


def test_many_runs_at_once_leave_one_whole_layout_and_nothing_else(tmp_path: Path):
    files = files_in(tmp_path / "source", **{f"m{number}": "x" for number in range(40)})
    barrier, found = Barrier(8), []

    def lay_out() -> None:
        barrier.wait()
        found.append(_kept(files, str(tmp_path / "cache")))

    threads = [Thread(target=lay_out) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {os.path.join(tmp_path / "cache", name) for name in os.listdir(tmp_path / "cache")}  # noqa: PTH118, PTH208
