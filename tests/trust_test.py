from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.names import Alias
from envtag.trust import check, checked_signers, checked_tag, known_tag_path, remember

V5 = Alias(name="mlp/team/base", tag="v5")
A, B = "a" * 40, "b" * 40
HERE = "https://git.example.org/team/envs"


def test_the_first_use_is_stored_and_the_same_again_is_fine(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A})
    remember(tmp_path, HERE, V5, {"linux-64": A})
    stored = json.loads(known_tag_path(tmp_path, HERE, V5).read_bytes())
    assert stored == {
        "version": 1,
        "registry": HERE,
        "alias": "mlp/team/base:v5",
        "locks": {"linux-64": A},
        "tag": "",
    }


def test_a_moved_tag_is_refused_with_both_ids_and_what_to_do(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A})
    with pytest.raises(FatalError) as caught:
        remember(tmp_path, HERE, V5, {"linux-64": B})
    for part in ("mlp/team/base:v5", "linux-64", A, B):
        assert part in caught.value.message
    for part in ("envtag show mlp/team/base:v5", "refs/tags/mlp/team/base@v5", str(known_tag_path(tmp_path, HERE, V5))):
        assert part in caught.value.hint
    remember(tmp_path, HERE, V5, {"linux-64": A})


def test_new_platforms_are_added_and_then_held_to(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A})
    remember(tmp_path, HERE, V5, {"osx-arm64": B})
    with pytest.raises(FatalError, match="osx-arm64"):
        remember(tmp_path, HERE, V5, {"linux-64": A, "osx-arm64": A})
    remember(tmp_path, HERE, V5, {"linux-64": A, "osx-arm64": B})


def test_a_refused_change_adds_nothing(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"osx-arm64": A})
    before = known_tag_path(tmp_path, HERE, V5).read_bytes()
    with pytest.raises(FatalError):
        remember(tmp_path, HERE, V5, {"linux-64": A, "osx-arm64": B})
    assert known_tag_path(tmp_path, HERE, V5).read_bytes() == before


def test_tags_names_and_registries_do_not_meet(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A})
    remember(tmp_path, HERE, Alias(name="mlp/team/base", tag="v6"), {"linux-64": B})
    remember(tmp_path, HERE, Alias(name="mlp/team", tag="v5"), {"linux-64": B})
    remember(tmp_path, HERE, Alias(name="mlp/team/base/more", tag="v5"), {"linux-64": B})
    remember(tmp_path, "/elsewhere/.git", V5, {"linux-64": B})


def test_what_is_known_needs_no_write(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A})
    path = known_tag_path(tmp_path, HERE, V5)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    remember(tmp_path, HERE, V5, {"linux-64": A})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_mutable_tags_are_not_remembered(tmp_path: Path):
    with pytest.raises(ValueError, match="only immutable tags"):
        remember(tmp_path, HERE, Alias(name="mlp/team/base", tag="stable"), {"linux-64": A})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "another format version"),
        ('{"version": 2}', "another format version"),
        ('{"version": 1, "locks": {}}', "not a record of a tag"),
    ],
)
def test_a_damaged_memory_is_an_error_that_names_the_file(tmp_path: Path, text, why):
    path = known_tag_path(tmp_path, HERE, V5)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(FatalError, match=f"`{path}` cannot be read: {why}"):
        remember(tmp_path, HERE, V5, {"linux-64": A})


def test_a_memory_that_cannot_be_written_is_an_error(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(FatalError, match="cannot be used to remember tags"):
        remember(blocked, HERE, V5, {"linux-64": A})


REMEMBER = """\
import sys
from pathlib import Path
from envtag.names import Alias
from envtag.trust import remember
remember(Path(sys.argv[1]), sys.argv[2], Alias(name="mlp/team/base", tag="v5"), {sys.argv[3]: "a" * 40})
"""


def test_processes_that_learn_different_platforms_at_once_lose_none(tmp_path: Path):
    platforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]
    processes = [
        subprocess.Popen([sys.executable, "-c", REMEMBER, str(tmp_path), HERE, platform]) for platform in platforms
    ]
    assert [process.wait(60) for process in processes] == [0] * len(platforms)
    assert json.loads(known_tag_path(tmp_path, HERE, V5).read_bytes())["locks"] == dict.fromkeys(platforms, A)


def test_the_tag_object_that_was_checked_last_is_remembered(tmp_path: Path):
    assert checked_tag(tmp_path, HERE, V5) == ""
    remember(tmp_path, HERE, V5, {"linux-64": A}, "1" * 40)
    assert checked_tag(tmp_path, HERE, V5) == "1" * 40
    remember(tmp_path, HERE, V5, {"linux-64": A}, "2" * 40)
    assert checked_tag(tmp_path, HERE, V5) == "2" * 40
    with pytest.raises(FatalError, match="changed on linux-64"):
        remember(tmp_path, HERE, V5, {"linux-64": B}, "3" * 40)
    assert checked_tag(tmp_path, HERE, V5) == "2" * 40


def test_a_use_without_a_tag_object_keeps_the_one_that_is_known(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A}, "c" * 40)
    remember(tmp_path, HERE, V5, {"linux-64": A})
    remember(tmp_path, HERE, V5, {"osx-arm64": B})
    assert checked_tag(tmp_path, HERE, V5) == "c" * 40


def test_a_check_refuses_what_changed_and_stores_nothing(tmp_path: Path):
    check(tmp_path, HERE, V5, {"linux-64": A})
    assert not known_tag_path(tmp_path, HERE, V5).exists()
    remember(tmp_path, HERE, V5, {"linux-64": A})
    check(tmp_path, f"{HERE}/", V5, {"linux-64": A, "osx-arm64": B})
    with pytest.raises(FatalError, match="changed on linux-64"):
        check(tmp_path, HERE, V5, {"linux-64": B})


def test_what_a_signature_was_held_to_is_remembered_with_the_tag_object(tmp_path: Path):
    remember(tmp_path, HERE, V5, {"linux-64": A}, "c" * 40)
    assert "signers" not in json.loads(known_tag_path(tmp_path, HERE, V5).read_bytes())
    remember(tmp_path, HERE, V5, {"linux-64": A}, "c" * 40, "d" * 64)
    assert checked_signers(tmp_path, HERE, V5) == "d" * 64
    remember(tmp_path, HERE, V5, {"osx-arm64": B})
    assert (checked_tag(tmp_path, HERE, V5), checked_signers(tmp_path, HERE, V5)) == ("c" * 40, "d" * 64)
    remember(tmp_path, HERE, V5, {"linux-64": A}, "e" * 40)
    assert (checked_tag(tmp_path, HERE, V5), checked_signers(tmp_path, HERE, V5)) == ("e" * 40, "")
