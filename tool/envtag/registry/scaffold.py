"""What GitHub needs to serve a registry: workflows, the action they share, rulesets, a template for pull requests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import __version__
from envtag.codeowners import PLACES, CodeOwners
from envtag.errors import FatalError
from envtag.rulesets import default_branch, immutable_tags, open_namespaces
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from importlib.abc import Traversable

_EXTRAS = {"gs": "gcs", "az": "azure"}
_HEADER = "# Written by `envtag init --github`, which replaces it while this is the digest of the rest: "
_DIGEST = pattern(re.escape(_HEADER) + r"([0-9a-f]{16})\n")
_BRANCH = pattern(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_OWNER = pattern(r"@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
#: What a pull request must not change unseen.
GUARDED = ("/envs/", "/.envtag/", "/.github/", "/CODEOWNERS", "/pyproject.toml")


def install_command(store: str) -> str:
    """How a workflow gets this version of envtag, with what the store takes.

    Args:
        store: URL of the store, empty where none is named.
    """
    extra = _EXTRAS.get(store.partition("://")[0])
    return f'python -m pip install --disable-pip-version-check "envtag{f"[{extra}]" if extra else ""}=={__version__}"'


def github_files(*, install: str, branch: str) -> dict[str, bytes]:
    """Everything below `.github`, by path.

    Args:
        install: The command that installs envtag.
        branch: Name of the default branch.

    Raises:
        FatalError: The branch has a name that a pattern of GitHub would read as another.
    """
    if not _BRANCH.fullmatch(branch):
        raise FatalError(
            f"the default branch `{branch}` cannot be named in a workflow", "rename it, `main` for example"
        )
    found: dict[str, bytes] = {}
    root = files("envtag") / "templates" / "github"
    for path, text in _texts(root, ".github"):
        filled = text.replace("@INSTALL@", install.replace("'", "''")).replace("@BRANCH@", branch)
        found[path] = (_signed(filled) if path.endswith(".yml") else filled).encode()
    rulesets = {
        "immutable-tags": immutable_tags(), "default-branch": default_branch(), "open-namespaces": open_namespaces(),
    }  # fmt: skip
    for name, ruleset in rulesets.items():
        found[f".github/rulesets/{name}.json"] = (json.dumps(ruleset, indent=2) + "\n").encode()
    return found


def replaceable(directory: Path, wanted: Mapping[str, bytes], *, force: bool) -> dict[str, bytes]:
    """Those of some files that a directory has otherwise or not at all.

    Args:
        directory: Top of the registry.
        wanted: Path to content.
        force: Take them all, whatever is there.

    Raises:
        FatalError: A file is there that somebody edited; names all such files.
    """
    different: dict[str, bytes] = {}
    edited: list[str] = []
    for path, data in sorted(wanted.items()):
        present = _present(directory / path)
        if present != data:
            different[path] = data
        if present is not None and present != data and not _is_ours(present):
            edited.append(path)
    if edited and not force:
        listed = ", ".join(f"`{path}`" for path in edited)
        raise FatalError(f"{listed} would be replaced", "`--force` does that; `git diff` then shows what was lost")
    return different


def owned(directory: Path, owner: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Give what protects the registry an owner who has to review its changes.

    Args:
        directory: Top of the registry.
        owner: `@USER` or `@ORG/TEAM`; empty to leave everything as it is.

    Returns:
        The file to write, if any, and the guarded paths that have no owner then.

    Raises:
        FatalError: It is no such name.
    """
    if owner and not _OWNER.fullmatch(owner):
        raise FatalError(f"`{owner}` is no owner", "write `@USER` or `@ORG/TEAM`")
    place = next((name for name in PLACES if (directory / name).is_file()), "CODEOWNERS")
    text = (_present(directory / place) or b"").decode("utf-8", "replace")
    rules = CodeOwners.parse(text)
    guarded = [f"/{place}" if path == "/CODEOWNERS" else path for path in GUARDED]
    free = [path for path in guarded if not rules.owners(_file_below(path))]
    if not owner or not free:
        return {}, tuple(free)
    lines = "".join(f"{path} {owner}\n" for path in free)
    return {place: f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{lines}".encode()}, ()


def _texts(directory: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    """The templates below a directory: where each belongs, and its text."""
    for entry in sorted(directory.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}/{entry.name}")
        elif entry.name.endswith((".yml", ".md")):
            yield f"{prefix}/{entry.name}", entry.read_text("utf-8")


def _signed(text: str) -> str:
    return f"{_HEADER}{_digest(text)}\n{text}"


def _is_ours(data: bytes) -> bool:
    """Whether nobody edited a file since envtag wrote it, in whatever version."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    found = _DIGEST.match(text)
    return found is not None and found[1] == _digest(text[found.end() :])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _present(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FatalError(f"`{path}` cannot be read: {error.strerror}") from error


def _file_below(pattern: str) -> str:
    return pattern.strip("/") + ("/workflows/publish.yml" if pattern.endswith("/") else "")
