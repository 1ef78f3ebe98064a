from __future__ import annotations

from envtag.cli.interchange import import_command
from envtag.importing import FORMATS


def test_each_format_can_be_named():
    (option,) = [item for item in import_command.params if item.name == "kind"]
    assert set(option.type.choices) == set(FORMATS)
