from __future__ import annotations

import pytest

from envtag import exporting, importing
from envtag.cli.interchange import export_command, import_command


@pytest.mark.parametrize(
    ("command", "formats"), [(import_command, importing.FORMATS), (export_command, exporting.FORMATS)]
)
def test_each_format_can_be_named(command, formats):
    (option,) = [item for item in command.params if item.name == "kind"]
    assert tuple(option.type.choices) == tuple(formats)
