"""How pip-compile is called: its argv and its environment, with nothing of this machine's pip deciding."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from envtag.util.process import Completed, run
from envtag.uv_indices import netrc_for, own_netrc
from envtag.uv_program import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.engines import PypiProblem
    from envtag.request import PypiOptions
    from envtag.urls import Mirrors

#: What of pip's own variables a client may set: how it reaches an index, and how patient it is.
_KEPT = ("PIP_CERT", "PIP_CLIENT_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT")


def compile_pins(problem: PypiProblem, workspace: Path, *, mirrors: Mirrors, cache: Path) -> Completed:
    """Run `pip-compile --generate-hashes` over what `uv_command.prepare` wrote, to `pinned.txt` beside it.

    Args:
        problem: What is to be solved.
        workspace: The directory with `requirements.in` and `constraints.txt`.
        mirrors: Where indices are really fetched from.
        cache: Directory for what pip keeps.
    """
    argv = [
        sys.executable, "-m", "piptools", "compile", "--verbose", "--generate-hashes", "--allow-unsafe", "--no-header",
        "--no-emit-index-url", "--no-emit-options", "--annotation-style", "split", "--strip-extras", "--no-config",
        "--cache-dir", str(cache / "pip-tools"), *_index_options(problem, mirrors),
        *_choices(problem.options),
        *(("--uploaded-prior-to", problem.exclude_newer) if problem.exclude_newer else ()),
        "--constraint", "constraints.txt", "--output-file", "pinned.txt", "requirements.in",
    ]  # fmt: skip
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    variables = {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    variables |= netrc_for(problem.credentials, workspace, own_netrc(os.environ))
    return run(argv, cwd=workspace, env=clean_environment(os.environ, variables))


def _index_options(problem: PypiProblem, mirrors: Mirrors) -> list[str]:
    options = ["--no-index"] if problem.options.no_index else []
    index = mirrors.fetch_url(problem.index_url) if problem.index_url else mirrors.default_index
    options += ["--index-url", index] if index and not problem.options.no_index else []
    for url in problem.extra_index_urls:
        options += ["--extra-index-url", mirrors.fetch_url(url)]
    for url in problem.options.find_links:
        options += ["--find-links", mirrors.fetch_url(url)]
    return options


def _choices(options: PypiOptions) -> list[str]:
    """Which files may be taken: an option of pip-compile, or of the pip behind it."""
    pip = [
        *(word for name in options.only_binary for word in ("--only-binary", name)),
        *(word for name in options.no_binary for word in ("--no-binary", name)),
    ]
    return [*(["--pre"] if options.prereleases else []), *(["--pip-args", shlex.join(pip)] if pip else [])]
