"""Documents for other tools, one module a format, behind a Protocol and one literal dict; values in, text out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from envtag.errors import FatalError
from envtag.exporting.model import Exported, Exporter, Subject

__all__ = ["FORMATS", "Exported", "Exporter", "Subject", "exporter"]

#: Format to the module that writes it; a module is imported when it is first asked for.
FORMATS: Mapping[str, str] = {
    "conda-lock": "envtag.exporting.conda_lock",
    "explicit": "envtag.exporting.explicit",
    "environment.yml": "envtag.exporting.environment",
    "requirements": "envtag.exporting.requirements",
    "pylock": "envtag.exporting.pylock",
    "pixi": "envtag.exporting.pixi",
    "dockerfile": "envtag.exporting.dockerfile",
    "cyclonedx": "envtag.exporting.cyclonedx",
    "spdx": "envtag.exporting.spdx",
}


def exporter(name: str) -> Exporter:
    """The exporter of a format.

    Raises:
        FatalError: There is none of that name.
    """
    if name not in FORMATS:
        known = ", ".join(f"`{known}`" for known in FORMATS)
        raise FatalError(f"`{name}` is not a format that envtag exports", f"one of {known}")
    return cast("Exporter", importlib.import_module(FORMATS[name]))
