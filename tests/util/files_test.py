from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.util import files


def test_write_atomic_makes_the_directories_it_needs(tmp_path: Path):
    target = tmp_path / "a" / "b" / "c.txt"
    files.write_atomic(target, b"content")
    assert target.read_bytes() == b"content"
    assert _names(target.parent) == ["c.txt"]


def test_write_atomic_replaces_and_sets_the_mode(tmp_path: Path):
    target = tmp_path / "file"
    target.write_bytes(b"old and longer")
    files.write_atomic(target, b"new", mode=0o600)
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_write_atomic_leaves_the_old_content_and_no_litter_where_it_fails(tmp_path: Path):
    target = tmp_path / "file"
    target.mkdir()
    (target / "inside").write_bytes(b"kept")
    with pytest.raises(OSError, match="file"):
        files.write_atomic(target, b"new")
    assert _names(tmp_path) == ["file"]
    assert (target / "inside").read_bytes() == b"kept"


def test_readers_see_the_old_bytes_or_the_new_ones(tmp_path: Path):
    target = tmp_path / "file"
    versions = [bytes([65 + number]) * 200_000 for number in range(2)]
    target.write_bytes(versions[0])
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [files.write_atomic(target, versions[n % 2]) for n in range(30)])
        while not writing.done():
            assert target.read_bytes() in versions
        writing.result()


def test_create_exclusive_says_who_created(tmp_path: Path):
    target = tmp_path / "a" / "file"
    assert files.create_exclusive(target, b"first")
    assert not files.create_exclusive(target, b"second")
    assert target.read_bytes() == b"first"
    assert _names(target.parent) == ["file"]


def test_of_many_processes_that_create_one_file_one_wins_and_its_content_is_whole(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from envtag.util import files\n"
        "while not Path(sys.argv[1], 'go').exists(): time.sleep(0.001)\n"
        "print(files.create_exclusive(Path(sys.argv[1], 'file'), sys.argv[2].encode() * 100_000))\n"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, str(number)], stdout=subprocess.PIPE)
        for number in range(6)
    ]
    (tmp_path / "go").touch()
    answers = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert sorted(answers) == [b"False"] * 5 + [b"True"]
    assert (tmp_path / "file").read_bytes() == str(answers.index(b"True")).encode() * 100_000


def test_a_writer_that_is_killed_leaves_the_old_content(tmp_path: Path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    code = (
        "import sys, time; from pathlib import Path; from envtag.util import files\n"
        "with files.staged(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, target], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait(timeout=30)
    writer.stdout.close()
    assert target.read_bytes() == b"old"


def test_link_exclusive_keeps_what_is_there(tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"new")
    assert files.link_exclusive(source, target)
    source.unlink()
    source.write_bytes(b"newer")
    assert not files.link_exclusive(source, target)
    assert target.read_bytes() == b"new"


def test_staged_removes_what_is_left_also_after_an_error(tmp_path: Path):
    def fail_halfway() -> None:
        with files.staged(tmp_path / "file") as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        fail_halfway()
    assert not any(tmp_path.iterdir())


def test_staged_works_for_the_longest_file_name(tmp_path: Path):
    target = tmp_path / ("n" * 255)
    files.write_atomic(target, b"content")
    assert target.read_bytes() == b"content"


def test_remove_tree_takes_files_links_trees_and_nothing(tmp_path: Path):
    tree, kept = tmp_path / "tree", tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_bytes(b"")
    (tree / "a").mkdir(parents=True)
    (tree / "link").symlink_to(kept)
    files.remove_tree(tree)
    files.remove_tree(tree)
    link = tmp_path / "link"
    link.symlink_to(kept)
    files.remove_tree(link)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    files.remove_tree(dangling)
    file = tmp_path / "file"
    file.write_bytes(b"")
    files.remove_tree(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert (kept / "file").is_file()


@pytest.fixture
def open_to_all():
    """A directory that every user can reach: pytest's own are closed to others, and root may do anything."""
    with tempfile.TemporaryDirectory(prefix="envtag-test-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o777)
        yield Path(directory)


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="POSIX permissions")
def test_remove_tree_takes_read_only_directories(open_to_all: Path):
    tree = open_to_all / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "file").write_bytes(b"")
    code = (
        "import os, shutil, sys; from pathlib import Path; from envtag.util import files\n"
        "os.getuid() or os.setuid(65534)\n"
        "files.remove_tree(Path(sys.argv[1]))\n"
    )
    (tree / "a" / "file").chmod(0o400)
    for path in (open_to_all, tree, tree / "a", tree / "a" / "file"):
        if os.getuid() == 0:
            os.chown(path, 65534, 65534)
    (tree / "a").chmod(0o500)
    done = subprocess.run([sys.executable, "-c", code, tree], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not tree.exists()


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_synced_file_is_written_and_its_directory_can_be_synced(tmp_path: Path):
    files.write_synced(tmp_path / "a", b"data")
    files.sync_directory(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"data"
