from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.flows.trusted import Trust, parse_trust


def trust(text: str, user: str = "Carol") -> Trust:
    return parse_trust(text, lambda: user)


@pytest.mark.parametrize("text", ["", ":none:", " :none: "])
def test_nobody_is_believed_by_default(text: str):
    assert trust(text).nobody
    assert not trust(text).believes("alice")


def test_anybody_may_be_believed():
    assert trust(":any:").believes("Whoever <who@example.org>")
    assert trust(":any:").believes("")


@pytest.mark.parametrize("who", ["carol", "Carol <c@example.org>", "Any Name <carol@example.org>", "CAROL"])
def test_oneself_is_known_by_name_or_mail(who: str):
    assert trust(":username:").believes(who)


def test_others_are_not_oneself():
    assert not trust(":username:").believes("alice <alice@example.org>")
    assert not trust(":username:").believes("")


def test_a_list_of_users_is_believed():
    found = trust("alice, bob@example.org")
    assert found.believes("Alice <a@example.org>")
    assert found.believes("alice")
    assert found.believes("Robert <bob@example.org>")
    assert not found.believes("bob")
    assert not found.believes("carol")
    assert not found.believes("<>")


@pytest.mark.parametrize("text", [":all:", "alice,,bob", "alice bob", ",", ":none:,alice"])
def test_anything_else_is_refused_when_it_is_read(text: str):
    with pytest.raises(FatalError, match="METAFLOW_CONDA_USE_REMOTE_LATEST is") as caught:
        trust(text)
    assert ":none:" in caught.value.hint


def test_nobody_logged_in_is_nobody():
    with pytest.raises(FatalError, match="nobody is logged in"):
        trust(":username:", user="")
