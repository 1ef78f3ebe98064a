"""Which git there is."""

from __future__ import annotations

import os
import re

from envtag.errors import FatalError
from envtag.git.environment import git_environment
from envtag.util import process

#: The first that takes settings by variable (`GIT_CONFIG_COUNT`), which keeps credentials out of process lists.
OLDEST = (2, 31)


def installed_version() -> tuple[str, tuple[int, int]]:
    """The version of the git on PATH, as it says it and as numbers.

    Raises:
        FatalError: There is none, or it does not run.
    """
    done = process.run(("git", "version"), env=git_environment(os.environ), check="git does not run", timeout=30)
    found = re.search(r"(\d+)\.(\d+)", done.text())
    if found is None:
        raise FatalError(f"git does not say which version it is: `{done.text()[:80]}`", "install git again")
    return done.text().removeprefix("git version "), (int(found[1]), int(found[2]))
