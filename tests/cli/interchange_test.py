from __future__ import annotations

import re

import pytest

from envtag import exporting, importing
from envtag.cli.interchange import export_command, import_command
from support.source import ROOT


@pytest.mark.parametrize(("page", "formats"), [("importing", importing.FORMATS), ("exporting", exporting.FORMATS)])
def test_each_format_has_a_row_in_the_docs(page, formats):
    rows = re.findall(r"^\| `([^`-][^`]*)` \|", (ROOT / "docs" / f"{page}.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(formats)


@pytest.mark.parametrize(
    ("command", "formats"), [(import_command, importing.FORMATS), (export_command, exporting.FORMATS)]
)
def test_each_format_can_be_named(command, formats):
    (option,) = [item for item in command.params if item.name == "kind"]
    assert tuple(option.type.choices) == tuple(formats)
