"""The conda-compatible program that conda-lock solves with: the one that is named, the team's own, else envtag's."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Looked for on PATH, in this order.
PROGRAMS = ("conda", "mamba", "micromamba")
OWN = "envtag"
#: The module that is envtag's own one.
MODULE = "envtag.conda_program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that answers as conda does.

    Attributes:
        path: Of its executable.
        own: Whether it is envtag's, which honours a cutoff and prints no more than is asked.
    """

    path: str
    own: bool = False

    def __str__(self) -> str:
        return "envtag's own solver program" if self.own else f"`{self.path}`"


def choose(named: str, workspace: Path, variables: Mapping[str, str]) -> Program:
    """The program to solve with.

    Args:
        named: A name on PATH, a path, or `envtag` for its own; empty for the first of `PROGRAMS` that is there,
            else envtag's own.
        workspace: Where the executable of envtag's own one may be written.
        variables: Whose PATH is searched.

    Raises:
        FatalError: The one that is named is not there.
    """
    if named and named != OWN:
        found = shutil.which(named, path=variables.get("PATH"))
        if found is None:
            raise FatalError(
                f"`{named}`, which is to solve for conda-lock, is not installed",
                "correct `ENVTAG_CONDA` (or `conda` of the config file); `envtag` there means envtag's own solver",
            )
        return Program(path=found)
    if not named:
        for name in PROGRAMS:
            found = shutil.which(name, path=variables.get("PATH"))
            if found is not None:
                return Program(path=found)
    return Program(path=str(write_launcher(workspace)), own=True)


def write_launcher(workspace: Path) -> Path:
    """Write an executable that runs envtag's own program with this Python."""
    if os.name == "nt":
        path = workspace / "envtag-conda.bat"
        path.write_text(f'@"{sys.executable}" -m {MODULE} %*\n', "utf-8")
    else:
        path = workspace / "envtag-conda"
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {MODULE} "$@"\n', "utf-8")
    path.chmod(0o755)
    return path
