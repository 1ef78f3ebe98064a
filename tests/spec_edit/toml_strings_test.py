from __future__ import annotations

from envtag.spec_edit.toml_strings import spans


def test_strings_are_found_and_what_looks_like_one_is_not():
    text = 'a = "b" # "no"\nc = \'d"e\'\nf = """\n"no" \'no\' # x\n"""\ng = \'\'\'no\'\'\'\nh = ["i\\"j", "k"]\n'
    found = [text[span.start : span.end] for span in spans(text)]
    assert found == ['"b"', "'d\"e'", '"k"']
    assert [span.value for span in spans(text)] == ["b", 'd"e', "k"]
    assert [span.written("x") for span in spans(text)] == ['"x"', "'x'", '"x"']


def test_text_that_is_no_toml_ends():
    assert list(spans("a = 'b\nc = \"d")) == []
