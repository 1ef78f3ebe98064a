from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.project import has_registry_table, registry_table


def test_the_table_is_given_as_it_is_and_none_where_there_is_none():
    assert registry_table('[tool.envtag]\nstore = "s3://x"\n', "pyproject.toml") == {"store": "s3://x"}
    assert registry_table("[tool.envtag]\n", "pyproject.toml") == {}
    assert registry_table("[tool.other]\n", "pyproject.toml") is None
    assert registry_table("tool = 1\n", "pyproject.toml") is None


@pytest.mark.parametrize(
    ("text", "said"), [("[", "not TOML"), ("[tool]\nenvtag = 1\n", "`tool.envtag` is not a table")]
)
def test_what_is_no_table_or_no_toml_is_refused(text: str, said: str):
    with pytest.raises(FatalError, match=f"pyproject.toml: {said}"):
        registry_table(text, "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("[tool.envtag]\n", True), ('x = 1\n[tool.envtag]\nstore = "s3://x"', True), ("[tool]\nenvtag = {}\n", True),
        ("[ tool . envtag ] # here\n", True), ("[tool.envtag.policy]\n", True), ("[tool.envtags]\n", False),
        ("", False),
    ],
)  # fmt: skip
def test_whether_it_is_there_is_told_however_it_is_written(text: str, there: bool):
    assert has_registry_table(text, "pyproject.toml") is there


def test_a_file_that_is_no_toml_and_in_which_no_line_begins_it_is_refused():
    with pytest.raises(FatalError, match="not TOML"):
        has_registry_table("[", "pyproject.toml")
    assert has_registry_table("[tool.envtag]\n[", "pyproject.toml"), "its settings are refused when they are read"
