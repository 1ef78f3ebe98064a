from __future__ import annotations

import re

from envtag import policy
from envtag.checking import RULES
from support.source import ROOT, modules


def test_ids_are_words_and_sentences_are_such():
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", rule) for rule in RULES)
    assert all(sentence.endswith(".") and sentence[0] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ`" for sentence in RULES.values())


def test_every_rule_of_the_table_is_one_that_something_finds():
    texts = [path.read_text("utf-8") for name, path in modules().items() if name.startswith("envtag.checking.")]
    texts += [path.read_text("utf-8") for name, path in modules().items() if name.startswith("envtag.policy.")]
    used = {word for text in texts for word in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)}
    assert sorted(set(RULES) - used) == []


def test_the_rules_with_exemptions_are_rules():
    assert set(policy.RULES) <= set(RULES)


def test_every_rule_is_documented():
    text = (ROOT / "docs" / "review.md").read_text("utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in text] == []
