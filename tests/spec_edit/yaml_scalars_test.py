from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envtag.spec_edit.yaml_scalars import spans

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def test_places_are_those_of_the_source():
    text = "\ufeffa: [b c, \"d\", 'e']\n# ü\nf:\n- &x g\n- >\n  h\n- i # j\n"
    found = {span.value: text[span.start : span.end] for span in spans(text)}
    assert found == {"a": "a", "b c": "b c", "d": '"d"', "e": "'e'", "f": "f", "i": "i"}
    assert {span.value: span.line for span in spans(text)} == {"a": 1, "b c": 1, "d": 1, "e": 1, "f": 3, "i": 7}


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_what_is_at_a_place_says_what_is_said_of_it(items):
    import yaml

    text = yaml.safe_dump({"x": items}, allow_unicode=True)
    for span in spans(text):
        assert yaml.safe_load(text[span.start : span.end]) in (span.value, *items) or not span.quote
        assert text[: span.start] + span.written(span.value) + text[span.end :] == text or span.flow


def test_a_value_in_brackets_is_quoted_where_it_must_be():
    (_, value) = spans("a: [b]")
    assert (value.written("c"), value.written("c,d")) == ("c", '"c,d"')
