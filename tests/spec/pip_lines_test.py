from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.request import Login, Origin
from envtag.spec.pip_lines import PipLines

HERE = Origin(file="e.yml", line=4)


def test_options_requirements_and_logins_are_collected():
    lines = PipLines()
    lines.option(HERE, "-i …", "index-url", "https://${A}@h.example/s")
    lines.option(HERE, "--pre", "pre", "")
    lines.requirement(HERE, "a==1 --hash=sha256:" + 64 * "a", platforms=frozenset({"win-64"}))
    lines.requirement(HERE, "b<2", constraint=True)
    part = lines.part()
    assert [placed.value for placed in part.index_urls] == ["https://h.example/s"]
    assert [name for name, _ in part.options] == ["pre"]
    assert part.logins == (Login(host="h.example", username="${A}"),)
    assert [(item.text, len(item.hashes), item.platforms, item.constraint) for item in part.pypi] == [
        ("a==1", 1, frozenset({"win-64"}), False),
        ("b<2", 0, None, True),
    ]


@pytest.mark.parametrize(("option", "value"), [("find-links", "./wheels"), ("hash", "x"), ("no-binary", "a/b")])
def test_what_cannot_be_honoured_names_its_place(option: str, value: str):
    with pytest.raises(FatalError, match=r"^e\.yml:4: `the line`: "):
        PipLines().option(HERE, "the line", option, value)
