from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from envtag.diff.html import render
from support.diffs import changed, conda, content, diff_of, eventful, lock

VOID = {"meta"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and keeps what is there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)


def test_the_page_is_whole_and_accessible():
    page = Page(render(eventful()))
    tags = [tag for tag, _ in page.seen]
    assert tags.count("table") == tags.count("caption") == tags.count("thead") == tags.count("tbody")
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.seen if tag == "th")
    assert dict(page.seen)["html"] == {"lang": "en"}
    assert [tag for tag in tags if tag in ("h1", "h2")] == ["h1", "h2"]
    assert "main" in tags


def test_nothing_is_loaded_and_nothing_runs():
    text = render(eventful())
    tags = {tag for tag, _ in Page(text).seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not re.search(r"url\(|@import|\bon\w+=|src=|href=", text)
    assert "default-src 'none'" in text


def test_both_colour_schemes_are_there():
    assert "prefers-color-scheme: dark" in render(eventful())


@pytest.mark.parametrize("evil", ["<script>x</script>", '"onload="x', "</code></td>", "&amp;", "' x='"])
def test_strangers_texts_are_text(evil):
    before, after = lock(conda("a", license=evil)), lock(conda("a", f"2{evil}"), conda(f"b{evil}"))
    found = changed(content(before, name="ml/x"), content(after, name="ml/x", texts={evil: evil}))
    page = Page(render(diff_of(found, before=evil)))
    assert "".join(page.data).count(evil) >= 5
    assert {tag for tag, _ in page.seen} <= {
        "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "code", "section", "table",
        "caption",
        "thead", "tbody", "tr", "th", "td", "details", "summary", "strong", "div",
    }  # fmt: skip


def test_no_difference_is_a_page():
    assert "No environment changed" in render(diff_of())
