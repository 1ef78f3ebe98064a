from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.commands.diff import FORMATS, diff
from envtag.comparison import Operands
from envtag.config import load
from envtag.diff import document, html, markdown, table
from envtag.output import Output
from support.diffs import eventful
from support.source import ROOT

GOLDEN = Path(__file__).parent.parent / "golden" / "diff"
#: 2026-08-17, two days after the cutoff of the newer lock.
TODAY = 1_786_924_800_000
FILES = {"table": "txt", "markdown": "md", "html": "html", "json": "json"}


@pytest.fixture
def run(capsys):
    """Compare two paths below the golden directory; exit code and what was printed."""

    def call(first: str = "before", second: str = "after", **options):
        config = load({"HOME": "/nowhere"})
        operands = Operands(open_registry=lambda: pytest.fail("no registry"), config=config, environ={}, start=GOLDEN)
        known = {"shape": "table", "recent_days": 7, "exit_code": False, "today": TODAY}
        code = diff(first, second, operands=operands, config=config, output=Output(), **{**known, **options})
        return code, capsys.readouterr().out

    return call


def compare(path: Path, text: str, *, update: bool) -> None:
    if update:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("shape", FORMATS)
def test_a_real_pair_of_locks_is_golden(run, update_golden, shape):
    code, text = run(shape=shape)
    assert code == 0
    compare(GOLDEN / f"real.{FILES[shape]}", text, update=update_golden)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("eventful.txt", lambda: table.render(eventful())),
        ("eventful.md", lambda: markdown.render(eventful())),
        ("eventful.html", lambda: html.render(eventful())),
        ("eventful.json", lambda: json.dumps(document.document(eventful()), indent=2) + "\n"),
        ("cut.md", lambda: markdown.render(eventful(), limit=3_000)),
    ],
)
def test_one_of_everything_is_golden(update_golden, name, text):
    compare(GOLDEN / name, text(), update=update_golden)


def test_the_example_of_the_docs_is_the_golden_one():
    shown = (ROOT / "docs" / "review.md").read_text("utf-8").splitlines()
    quoted = [line.removeprefix(">").strip() for line in shown if line.startswith("> |")]
    golden = (GOLDEN / "real.md").read_text("utf-8").splitlines()
    assert [line for line in quoted if line not in golden] == []
    assert len(quoted) > 30


def test_the_exit_code_tells_only_if_asked(run):
    assert run(exit_code=True)[0] == 1
    assert run(exit_code=False)[0] == 0
    assert run("before", "before", exit_code=True)[0] == 0


def test_days_decide_what_is_recent(run):
    none, many = (json.loads(run(shape="json", recent_days=days)[1]) for days in (0, 30))
    kinds = [{item["kind"] for item in found["environments"][0]["findings"]} for found in (none, many)]
    assert "recent" not in kinds[0]
    assert "recent" in kinds[1]


def test_json_holds_no_command_to_a_log(run):
    text = run(str(GOLDEN / "before"), shape="json")[1]
    assert "##[" not in text
    assert json.loads(text)["version"] == 1


def test_nothing_is_said_of_equal_sides(run):
    assert run("before", "before") == (0, "No environment changed: before -> before\n")


def test_a_process_compares_a_branch_with_its_base(make_story):
    from support.story import MINOR, released

    story = make_story(released)
    story.repo.git("checkout", "--quiet", "-b", "change")
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha\n- beta\n"
    story.resolve("mlp/base:v2", environment=text)
    told = story.run("diff", "--json").json
    (item,) = told["environments"]
    assert (item["name"], item["state"]) == ("mlp/base", "changed")
    changes = {row["name"]: (row["change"], row["level"], row["direct"]) for row in item["packages"]}
    assert changes["alpha"] == ("upgraded", "major", True)
    assert [entry["key"] for entry in item["requirements"]] == ["conda alpha", "conda beta"]
    assert [entry["key"] for entry in item["ledger"]] == ["release v2"]
    assert told["before"].startswith("merge base with origin/main at ")
    assert story.run("diff", "--exit-code", check=1).out.startswith("1 environment changed")
    assert story.run("diff", "main", "--markdown").out.startswith("<!-- envtag diff -->\n## envtag diff: 1 environment")
    assert "<!doctype html>" in story.run("diff", "HEAD", "--html").out
    refused = story.run("diff", "nonsense", check=1)
    assert refused.err.startswith("error: `nonsense` is no path, environment or revision here\nhint: ")


def test_a_release_is_compared_by_its_alias(make_story):
    from support.story import MINOR, released

    story = make_story(released)
    story.tag("mlp/base", "v1")
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha\n"
    story.resolve("mlp/base:v2", environment=text)
    told = story.call("diff", "mlp/base:v1", "mlp/base:v2", "--json").json
    assert [row["name"] for row in told["environments"][0]["packages"]] == ["alpha"]
    assert told["before"].startswith("mlp/base:v1 at ")
    assert told["environments"][0]["name"] == "mlp/base"
