from __future__ import annotations

import subprocess

import pytest

from envtag.spec_merge import UnclearError, merge_specs

BASE = "channels: [conda-forge]\ndependencies:\n- python 3.11.*\n- alpha 1.0  # not 2\n"
PIP = "- pip:\n  - one\n"


def merge(tmp_path, name: str, base: str, ours: str, theirs: str) -> str:
    """What is made of git's conflict."""
    for file, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (tmp_path / file).write_bytes(text.encode())
    command = ["git", "merge-file", "-p", "-q", "--diff3", "--marker-size=61", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode > 0, "this is no conflict to git"
    sides = (text.encode() for text in (base, ours, theirs))
    return merge_specs(name, *sides, conflicted=done.stdout, marker=61).decode()


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        (BASE, BASE + "- b\n", BASE + "- c\n", BASE + "- b\n- c\n"),
        (BASE, BASE + "# why\n- b 1\n", BASE + "- c=2  # [linux]\n", BASE + "# why\n- b 1\n- c=2  # [linux]\n"),
        (BASE, BASE + "- b\n- d\n", BASE + "- c\n- d\n", BASE + "- b\n- d\n- c\n"),
        (BASE, BASE.replace("1.0", "1.1"), BASE + "- c\n", BASE.replace("1.0", "1.1") + "- c\n"),
        (BASE, BASE.replace("- alpha 1.0  # not 2\n", ""), BASE + "- c\n", BASE.partition("- alpha")[0] + "- c\n"),
        (BASE + PIP, BASE + PIP + "  - two\n", BASE + PIP + "  - three\n", BASE + PIP + "  - two\n  - three\n"),
        (BASE, BASE + "- conda-forge::b\n", BASE + "- 'c >=1'\n", BASE + "- conda-forge::b\n- 'c >=1'\n"),
        (BASE, BASE + "- b", BASE + "- c", BASE + "- b\n- c\n"),
    ],
)
def test_requirements_of_both_sides_are_there(tmp_path, base, ours, theirs, result):
    assert merge(tmp_path, "environment.yml", base, ours, theirs) == result


def test_a_requirements_file_is_merged_too(tmp_path):
    base = "--index-url https://h/simple\na\n"
    theirs = base + "c ; python_version < '4'\n"
    assert merge(tmp_path, "requirements.txt", base, base + "b[x]>=1\n", theirs) == base + (
        "b[x]>=1\nc ; python_version < '4'\n"
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BASE.replace("1.0", "1.1"), BASE.replace("1.0", "2.0")),  # both changed one
        (BASE.replace("1.0", "1.1"), BASE.replace("- alpha 1.0  # not 2\n", "- b\n")),  # one changed, one took away
        (BASE + "- b 1\n", BASE + "- b 2\n"),
        (BASE + "- a_b\n", BASE + "- a-b 1\n"),  # one name, written in two ways
        (BASE + "- b 1  # [linux]\n- b 2  # [osx]\n", BASE + "- c\n"),  # two lines of one name
        (BASE + "- b\n", BASE + PIP),  # another list begins
        (BASE + "- b\n", BASE + "platforms: [linux-64]\n"),
        (BASE.replace("[conda-forge]", "[a]"), BASE.replace("[conda-forge]", "[b]")),
        (BASE + "- b ==\n", BASE + "- c\n"),  # no spec at all
        (BASE + "# one\n", BASE + "# two\n"),
    ],
)
def test_what_is_not_clear_is_left_as_a_conflict(tmp_path, ours, theirs):
    with pytest.raises(UnclearError):
        merge(tmp_path, "environment.yml", BASE, ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("a\n-r more.txt\n", "a\n-r other.txt\n"),
        ("a\nb \\\n  >=1\n", "a\nc\n"),
        ("a\n--index-url https://h/\n", "a\nc\n"),
    ],
)
def test_options_and_joined_lines_are_left_as_a_conflict(tmp_path, ours, theirs):
    with pytest.raises(UnclearError):
        merge(tmp_path, "requirements.txt", "a\n", ours, theirs)


def test_a_project_is_left_to_people(tmp_path):
    with pytest.raises(UnclearError, match="not merged by requirement"):
        merge(tmp_path, "pyproject.toml", "a = 1\n", "a = 2\n", "a = 3\n")


def test_what_is_asked_for_decides_and_not_how_the_lines_came_together():
    ours, theirs = (BASE + f"- {name}\n" for name in "bc")
    conflicted = BASE + f"{'<' * 61} ours\n- b\n{'|' * 61} base\n{'=' * 61}\n- d\n{'>' * 61} theirs\n"
    with pytest.raises(UnclearError, match="does not ask for what both sides ask for"):
        merge_specs(
            "environment.yml",
            *(text.encode() for text in (BASE, ours, theirs)),
            conflicted=conflicted.encode(),
            marker=61,
        )


def test_bytes_that_are_no_text_are_left_to_people():
    with pytest.raises(UnclearError):
        merge_specs("environment.yml", b"", b"", b"", conflicted=b"\xff", marker=61)
