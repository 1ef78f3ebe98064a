from __future__ import annotations

import os
from pathlib import Path
from threading import Barrier, Thread

import metaflow  # noqa: F401 - first: it imports its extensions

from metaflow_extensions.envtag.plugins.envtag_env.tree import CODE, Tree, _kept


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


def test_what_no_run_has_used_for_long_goes(tmp_path: Path):
    files = files_in(tmp_path / "source", a="1", b="2", c="3")
    old, used = _kept(files[:1], str(tmp_path / "cache")), _kept(files[:2], str(tmp_path / "cache"))
    left = tmp_path / "cache" / ".left.tmp"
    left.mkdir()
    for path in (old, used, left):
        os.utime(path, (1, 1))
    assert _kept(files[:2], str(tmp_path / "cache")) == used
    new = _kept(files, str(tmp_path / "cache"))
    assert {str(path) for path in (tmp_path / "cache").iterdir()} == {used, new}


class Package:
    """The part of Metaflow's package of a run that is asked: two files of code and one of the run's own."""

    package_metadata = "{}"

    def __init__(self, files: list[tuple[str, str]]) -> None:
        self._mfcontent = self
        self._files = files

    def blob_with_timeout(self, *, timeout: None) -> None:
        assert timeout is None

    def content_names(self, kinds: int) -> list[tuple[str, str]]:
        assert kinds
        return self._files

    def extract_into(self, root: str, kinds: int) -> None:
        assert kinds
        (Path(root) / ".mf_meta").mkdir()

    def get_post_extract_env_vars(self, metadata: str, root: str) -> dict[str, str]:
        assert metadata
        return {"PYTHONPATH": f"{root}/{CODE}", "METAFLOW_EXTRACTED_ROOT:": root}


def test_a_run_has_its_own_files_beside_the_lasting_ones(tmp_path: Path):
    files = [*files_in(tmp_path / "source", a="1"), (str(tmp_path / "source" / "a.py"), "other.py")]
    tree = Tree(Package(files), str(tmp_path / "cache"))
    root = Path(tree.root)
    assert tree.variables == {"PYTHONPATH": f"{root}/{CODE}", "METAFLOW_EXTRACTED_ROOT": str(root)}
    assert (root / CODE / "pack" / "a.py").read_text() == "1"
    assert os.path.isdir(f"{root}/{CODE}/../.mf_meta")  # noqa: PTH112 - as Metaflow looks for it
    assert (root / "other.py").is_symlink()
    (root / CODE / "pack" / "compiled").write_text("kept")
    tree.remove()
    assert not root.exists()
    assert [path.name for path in (tmp_path / "cache").glob("*/.mf_code/pack/compiled")] == ["compiled"]


def test_a_cache_that_cannot_be_written_to_is_done_without(tmp_path: Path):
    (tmp_path / "cache").write_text("a file is in the way")
    tree = Tree(Package(files_in(tmp_path / "source", a="1")), str(tmp_path / "cache"))
    assert (Path(tree.root) / CODE / "pack" / "a.py").read_text() == "1"
    tree.remove()
