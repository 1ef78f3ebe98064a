"""The merge drivers of a registry: which files they merge (`.gitattributes`), and how git calls them (a configuration).

The attributes travel with the registry. The configuration is each clone's own, since git runs nothing that a repository
names by itself; without it git merges these files as it merges any text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from envtag.registry.environment import ENVIRONMENTS
from envtag.util.files import read_text

if TYPE_CHECKING:
    from envtag.git import Git

ATTRIBUTES_FILE = ".gitattributes"
#: What is merged by which driver; the more special lines come last, since the last that matches counts.
ATTRIBUTES = (
    f"{ENVIRONMENTS}/**/environment*.yml merge=envtag-spec",
    f"{ENVIRONMENTS}/**/*.txt merge=envtag-spec",
    f"{ENVIRONMENTS}/**/*.in merge=envtag-spec",
    f"{ENVIRONMENTS}/**/*-lock.yml merge=envtag-lock",
    f"{ENVIRONMENTS}/**/tags.yml merge=envtag-ledger",
)
_NAMES = MappingProxyType({
    "lock": "envtag: keep the pins of both sides, solve the rest",
    "ledger": "envtag: the releases of both sides",
    "spec": "envtag: the requirements of both sides",
})  # fmt: skip


def settings() -> Mapping[str, str]:
    """Git's configuration of the drivers, key to value.

    Where envtag is not on PATH, git's own merge of the text takes its place. A lock or ledger between two merge bases
    is nobody's result: git takes the older one as it is.
    """
    found = {}
    for kind, title in _NAMES.items():
        found[f"merge.envtag-{kind}.name"] = title
        found[f"merge.envtag-{kind}.driver"] = (
            "command -v envtag >/dev/null 2>&1 || exec git merge-file --marker-size=%L %A %O %B; "
            f"exec envtag merge-driver {kind} %O %A %B %L %P"
        )
        if kind != "spec":
            found[f"merge.envtag-{kind}.recursive"] = "binary"
    return found


def install(git: Git, scope: Literal["local", "global"] = "local") -> bool:
    """Write the drivers into a configuration of git's; say whether that changed anything.

    Args:
        git: The repository.
        scope: Its own configuration, or the user's.

    Raises:
        FatalError: It cannot be written.
    """
    present = _configured(git, scope)
    missing = {key: value for key, value in settings().items() if present.get(key) != value}
    for key, value in missing.items():
        git.run("config", f"--{scope}", "--replace-all", key, value, check="cannot write git's configuration")
    return bool(missing)


def is_installed(git: Git) -> bool:
    """Whether git would run the drivers in this repository, whatever configuration says so."""
    present = git.configured(r"^merge\.envtag-.*\.driver$")
    return all(f"merge.envtag-{kind}.driver" in present for kind in _NAMES)


def with_attributes(present: str) -> str:
    """The text of a `.gitattributes` with the lines of the drivers behind what it lacks of them; itself if nothing."""
    lines = {" ".join(line.split()) for line in present.splitlines()}
    missing = [line for line in ATTRIBUTES if line not in lines]
    if not missing:
        return present
    ended = present if not present or present.endswith("\n") else f"{present}\n"
    return ended + "".join(f"{line}\n" for line in missing)


def read_attributes(worktree: Path) -> str:
    """The text of a work tree's `.gitattributes`, empty where there is none.

    Raises:
        FatalError: It cannot be read.
    """
    return read_text(worktree / ATTRIBUTES_FILE)


def _configured(git: Git, scope: str) -> dict[str, str]:
    done = git.run("config", f"--{scope}", "-z", "--get-regexp", r"^merge\.envtag-")
    pairs = (entry.partition("\n") for entry in done.stdout.decode("utf-8", "replace").split("\0") if entry)
    return {key: value for key, _, value in pairs}
