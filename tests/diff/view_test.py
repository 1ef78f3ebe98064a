from __future__ import annotations

from envtag.diff.model import Diff, Setting
from envtag.diff.view import MANY, Code, view
from support.diffs import NOW, changed, conda, content, diff_of, eventful, lock


def sections(diff):
    """Kind to the sections of the only chapter."""
    (chapter,) = view(diff).chapters
    return {section.title: section for section in chapter.sections}


def test_red_flags_come_first_and_are_counted_in_the_title():
    shown = view(eventful())
    assert shown.title == "1 environment changed, 4 red flags"
    assert [section.kind for section in shown.sections] == ["red"]
    assert [row[1][0] for row in shown.sections[0].rows] == [
        "same version, another hash",
        "same version, another hash",
        "from another channel or index",
        "from another package manager",
    ]


def test_sections_are_ordered_by_what_matters():
    assert [section.kind for section in view(eventful()).chapters[0].sections] == [
        "attention", "direct", "transitive", "weight",
    ]  # fmt: skip


def test_a_section_without_rows_is_not_there():
    found = changed(content(lock(conda("a"))), content(lock(conda("a"), base="x")))
    assert set(sections(diff_of(found))) == {"Settings"}


def test_strangers_texts_are_marked_everywhere():
    name = "evil<b>"
    found = diff_of(
        changed(
            content(lock(conda(name, "1")), name="ml/x", texts={f"conda {name}": name}),
            content(lock(conda(name, "0", license=name)), name="ml/x"),
        ),
        before=name,
    )
    shown = view(found)
    cells = [cell for chapter in shown.chapters for section in chapter.sections for row in section.rows for cell in row]
    ours = "".join(span for cell in cells for span in cell if not isinstance(span, Code))
    assert "evil" not in ours + shown.title + "".join(chapter.summary for chapter in shown.chapters)
    assert any(isinstance(span, Code) and name in span.text for cell in cells for span in cell)


def test_many_findings_of_one_kind_are_one_row_and_a_table_of_their_own():
    names = [f"p{number}" for number in range(MANY + 3)]
    found = diff_of(
        changed(
            content(lock(*(conda(name) for name in names))),
            content(lock(*(conda(name, "2", timestamp=NOW) for name in names))),
        )
    )
    shown = sections(found)
    (row,) = shown["Look at these first"].rows
    assert row[1][-1] == " and 4 more, listed below"
    assert len(shown["Published very recently"].rows) == MANY + 3
    assert shown["Published very recently"].folded


def test_several_environments_have_an_overview():
    items = [changed(None, content(lock(conda("a")), name=name)) for name in ("a", "b")]
    (overview,) = view(diff_of(*items)).sections
    assert overview.kind == "overview"
    assert [row[0] for row in overview.rows] == [(Code("a"),), (Code("b"),)]


def test_settings_of_the_registry_are_shown():
    setting = Setting(key="store", before="s3://a", after="s3://b")
    found = Diff(before="a", after="b", now=NOW, recent_days=7, registry=(setting,), environments=())
    assert [section.title for section in view(found).sections] == ["Settings of the registry"]


def test_no_difference_is_said():
    assert view(diff_of()).title == "No environment changed"


def test_without_a_spec_packages_are_one_table_that_says_so():
    found = changed(content(lock(), direct=None), content(lock(conda("a")), direct=None))
    shown = sections(diff_of(found))
    assert "not known" in shown["Packages"].note
    assert "Direct packages" not in shown


def test_what_was_not_looked_into_is_said():
    note = "Not looked into, since not on this machine: 8 of the 9 new archives ("
    assert view(eventful()).chapters[0].note.startswith(note)


def test_a_package_tells_because_of_what_it_is_there():
    rows = {row[0][0].text: row[-1] for row in sections(eventful())["Transitive packages"].rows}
    assert rows["helper"] == (Code("python"),)
    assert rows["again"] == ("not known",)
