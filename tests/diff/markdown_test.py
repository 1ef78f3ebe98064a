from __future__ import annotations

import re

import pytest

from envtag.diff.markdown import LIMIT, MARKER, render
from support.diffs import changed, conda, content, diff_of, eventful, lock

GITHUB = 65_536


def large(environments: int, packages: int, *, long: str = "", red: bool = False):
    """A difference of many environments with many packages each."""
    items = []
    for number in range(environments):
        before = [conda(f"p{index}{long}", "1.0") for index in range(packages)]
        after = [conda(f"p{index}{long}", "2.0") for index in range(packages)]
        if red:
            after = [one._replace(version="1.0", url=other.url) for one, other in zip(after, before, strict=True)]
        sides = [content(lock(*side), name=f"team/e{number:04}", direct=["p0"]) for side in (before, after)]
        items.append(changed(*sides))
    return diff_of(*items)


def test_nothing_is_left_out_of_a_small_change():
    text = render(eventful())
    assert text.startswith(f"{MARKER}\n")
    assert "left out" not in text
    for name in ("python", "openssl", "zlib", "numpy", "click", "left", "older", "again", "moved", "helper", "built"):
        assert f"`{name}`" in text


def test_no_difference_is_a_comment_too():
    assert "No environment changed" in render(diff_of())


@pytest.mark.parametrize(
    ("environments", "packages", "red"),
    [(1, 2000, False), (1, 2000, True), (60, 40, False), (3000, 1, False), (2000, 2, True)],
)
def test_a_large_change_stays_below_the_limit_and_says_what_is_left_out(environments, packages, red):
    found = large(environments, packages, red=red)
    text = render(found)
    assert len(text.encode()) <= LIMIT < GITHUB
    assert len(text.encode("utf-16-le")) // 2 <= GITHUB
    assert len(text.encode()) > LIMIT * 0.8
    assert "**This comment is not complete.**" in text
    assert "`--html`" in text


def test_the_rows_that_are_left_out_are_counted_exactly():
    text = render(large(1, 2000))
    shown = len(re.findall(r"^\| `p\d+` \|", text, re.MULTILINE))
    (told,) = re.findall(r"Left out, to stay below GitHub's limit: ([\d,]+) rows of transitive packages\.", text)
    assert shown + int(told.replace(",", "")) == 2000
    assert f"*{told} rows left out: transitive packages.*" in text


def test_what_matters_least_is_left_out_first():
    text = render(large(60, 40))
    assert text.count("| `p0` | upgraded (major) |") == 60
    assert "rows of transitive packages" in text
    assert "rows of direct packages" not in text


def test_environments_that_are_left_out_are_counted():
    text = render(large(3000, 1))
    shown = len(re.findall(r"^### `team/e\d+`$", text, re.MULTILINE))
    (told,) = re.findall(r"([\d,]+) environments as a whole", text)
    assert shown + int(told.replace(",", "")) == 3000


def test_red_flags_are_kept_when_all_else_goes():
    text = render(large(400, 1, red=True))
    assert len(re.findall(r"same version, another hash", text)) == 400


@pytest.mark.parametrize("limit", [3_000, 5_000, 10_000, 30_000])
def test_any_limit_is_kept(limit):
    assert len(render(large(20, 20, long="-" + "x" * 60), limit=limit).encode()) <= limit


def test_where_everything_is_can_be_said_in_other_words():
    assert "See the summary of the run." in render(large(1, 2000), full="See the summary of the run.")


@pytest.mark.parametrize(
    "text",
    [
        "@octocat",
        "#12",
        "<img src=x>",
        "a|b",
        "`@octocat`",
        "q\n\n## q",
        "</details>",
        "https://x.example.org/",
        "a\u202eb",
    ],
)
def test_nothing_of_a_stranger_leaves_its_code_span(text):
    before = content(lock(conda("a", "1.0")), name="ml/x")
    after = content(lock(conda("a", f"2.0{text}", license=text), conda(f"b{text}")), name="ml/x", texts={text: text})
    shown = render(diff_of(changed(before, after), before=text))
    outside = re.sub(r"`[^`\n]*`", "", shown)
    assert text == "</details>" or text not in outside
    assert outside.count("</details>") == outside.count("<details>")
    for line in shown.splitlines():
        if line.startswith("|"):
            assert line.count("|") in {4, 6, 7, 8}
