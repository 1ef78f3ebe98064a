from __future__ import annotations

import json

import pytest

from envtag.diff import Diff
from envtag.diff.markdown import MARKER
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.findings.document import render
from envtag.review_comment import LARGEST, Told, body, difference, read_findings
from support.publishing import lock
from support.story import released

FINDING = Finding(rule="lock-fresh", severity="error", message="it is stale", hint="lock it", path="a.yml", line=3)
NOTHING = Diff(before="a", after="b", environments=(), registry=(), now=0, recent_days=7)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "findings.json"


def test_what_the_check_prints_is_read(path):
    path.write_text(render([FINDING, FINDING]))
    assert read_findings(path) == Told(findings=(FINDING,), ok=False)
    path.write_text(render([]))
    assert read_findings(path) == Told(findings=(), ok=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"line": True}, "another type"), ({"line": 1.5}, "another type"), ({"message": None}, "another type"),
        ({"line": -1}, "severity or line"), ({"line": 1 << 40}, "severity or line"),
        ({"severity": "fatal"}, "severity or line"), ({"rule": "A b"}, "severity or line"),
        ({"more": ""}, "other keys"),
    ],
)  # fmt: skip
def test_what_is_no_finding_is_refused(path, change, reason):
    document = json.loads(render([FINDING]))
    document["findings"][0].update(change)
    path.write_text(json.dumps(document))
    with pytest.raises(FatalError, match=reason):
        read_findings(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"), (b"\xff", "not JSON"), (b"[" * 200_000, "not JSON"), (b"[]", "version 1"),
        (b'{"version": 2, "ok": true, "findings": []}', "version 1"), (b'{"version": 1, "findings": []}', "version 1"),
        (b'{"version": 1, "ok": true, "findings": {}}', "not a list"),
        (b'{"version": 1, "ok": true, "findings": [1]}', "other keys"), (b" " * (LARGEST + 1), "over"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(path, data, reason):
    path.write_bytes(data)
    with pytest.raises(FatalError, match=reason):
        read_findings(path)


def test_a_file_that_is_not_there_is_said_not_to_be(path):
    with pytest.raises(FatalError, match="cannot be read"):
        read_findings(path)


def test_findings_are_told_below_the_difference_and_by_whom():
    text = body(NOTHING, Told(findings=(FINDING,), ok=False))
    assert text.startswith(MARKER)
    assert "envtag check: failed, 1 error" in text
    assert "As the pull request's own run says." in text
    assert "| error | `a.yml:3` | `it is stale`<br>`lock it` `lock-fresh` |" in text
    assert "envtag check: passed, nothing found" in body(NOTHING, Told(findings=(), ok=True))


def test_many_findings_are_cut_and_counted():
    many = tuple(Finding(rule="x", severity="note", message=f"{number} {'m' * 3_000}") for number in range(900))
    text = body(NOTHING, Told(findings=many, ok=True))
    assert "860 more" in text
    assert len(text.encode()) < 65_536


def test_a_problem_is_shown_as_code():
    text = body(None, None, problem="<b>`x`</b> @team")
    assert "This change cannot be shown." in text
    assert "<b>" not in "".join(text.replace("`\\x60x\\x60`", "").split("`")[::2])


def test_the_difference_is_of_the_commits_and_not_of_the_work_tree(make_story):
    story = make_story(released)
    repo = story.repo
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "--quiet", "-b", "branch")
    lock(story, "v1", name="mlp/new")
    head = repo.commit(message="another")
    repo.git("checkout", "--quiet", "main")
    later = story.commit("meanwhile", {"envs/mlp/base/notes.md": "x\n"})
    with story.registry() as registry:
        found = difference(registry, later, head, story.config)
        assert [item.name for item in found.environments] == ["mlp/new"]
        assert found.before == f"merge base at {base[:12]}"
        orphan = repo.git("commit-tree", f"{head}^{{tree}}", "-m", "x")
        with pytest.raises(FatalError, match="have none in common"):
            difference(registry, later, orphan, story.config)
