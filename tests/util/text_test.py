from __future__ import annotations

from envtag.util.text import number_of, shown


def test_plain_text_stands_in_backticks():
    assert shown("numpy >=1.2") == "`numpy >=1.2`"


def test_control_characters_are_escaped_so_that_it_stays_one_line():
    assert shown("a\nb\t\x1b[31m\u2028") == "`a\\nb\\t\\x1b[31m\\u2028`"


def test_long_text_is_cut():
    assert shown("a" * 121) == "`" + "a" * 120 + "…`"
    assert shown("a" * 120) == "`" + "a" * 120 + "`"


def test_credentials_of_urls_are_masked():
    assert shown("pkg @ https://user:pass@host/x.whl") == "`pkg @ https://***@host/x.whl`"
    assert shown("https://host/t/secret/chan") == "`https://host/t/***/chan`"
    assert shown("file:///t/directory/chan") == "`file:///t/directory/chan`"
    assert shown("https://host/x.whl?sig=secret#frag") == "`https://host/x.whl?***#frag`"
    assert shown("-i https://a:b@c@host/simple") == "`-i https://***@host/simple`"


def test_a_number_of_things_is_said_as_people_say_it():
    assert [number_of(count, "package") for count in (0, 1, 2, 2000)] == [
        "0 packages", "1 package", "2 packages", "2,000 packages",
    ]  # fmt: skip
