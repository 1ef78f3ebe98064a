"""In a pod: what an earlier step ran in, looked up by its pathspec as the task starts; prints the full id.

It runs before the environment is there, in the image's Python, with Metaflow's code from the code package.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Sequence

from metaflow_extensions.envtag.plugins.envtag_env.pathspecs import PathspecError, recorded_at
from metaflow_extensions.envtag.plugins.envtag_env.requirements import RequirementError, substitute

#: Two ids of envtag's: what is printed becomes a word of a shell's, and metadata is written by whoever runs flows.
_FULL_ID = re.compile(r"[0-9a-f]{40}:[0-9a-f]{40}")
_HINT = "hint: give the pod one, or leave `fetch_at_exec` out: the step is looked up at launch then"


def main(arguments: Sequence[str]) -> int:
    """Print the full id that a pathspec leads to.

    Args:
        arguments: The pathspec, with `@{VAR}`, which is substituted from this process's variables.

    Returns:
        0; 1 after a line on stderr that says what is wrong.
    """
    from metaflow.metaflow_config import DEFAULT_METADATA

    (written,) = arguments
    try:
        pathspec = substitute(written, os.environ, "this task")
        if DEFAULT_METADATA == "local":
            return _refuse(f"`{pathspec}` cannot be looked up: this pod has no metadata service", _HINT)
        found = recorded_at(pathspec)["envtag_id"]
        if not _FULL_ID.fullmatch(found):
            return _refuse(f"what `{pathspec}` recorded is no id of an environment: {found!r}", "")
        sys.stdout.write(found + "\n")
    except PathspecError as error:
        return _refuse(str(error), f"hint: {error.hint}" if error.hint else "")
    except RequirementError as error:
        return _refuse(str(error), "")
    return 0


def _refuse(message: str, hint: str) -> int:
    sys.stderr.write(f"envtag: error: {message}\n" + (f"{hint}\n" if hint else ""))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
