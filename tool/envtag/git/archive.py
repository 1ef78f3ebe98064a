"""One commit of somebody's repository as a tar archive: the same bytes wherever it is made."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git.environment import git_environment
from envtag.git.repository import NETWORK_SECONDS
from envtag.urls import without_credentials
from envtag.util import process

if TYPE_CHECKING:
    from envtag.util.process import Completed

_REACH = "check its address, the network and your credentials for it"
#: Over every `.gitattributes` of the tree: bytes as they are committed, each file, nothing put in.
_ATTRIBUTES = "* -text !eol !crlf !ident !filter !working-tree-encoding !export-ignore !export-subst\n"
#: What decides about the archive's bytes, whatever git's defaults are one day.
_SETTINGS = ("-c", "tar.umask=0022", "-c", "core.autocrlf=false", "-c", f"core.attributesFile={os.devnull}")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def archive_commit(repository: str, commit: str, target: Path, *, root: str) -> int:
    """Write a commit's files as an uncompressed tar archive: `git archive --format=tar --prefix=ROOT/ COMMIT`.

    No configuration and no attribute counts, so that it is the same on every machine. The repository is fetched into
    a directory that is removed again; credentials are those that the user's git has for it.

    Args:
        repository: URL of the repository.
        commit: Full name of the commit, 40 hex digits.
        target: The file to write; one that is there is replaced.
        root: The directory in the archive that holds them.

    Returns:
        When it was committed, in seconds since 1970.

    Raises:
        FatalError: The repository cannot be reached, has no such commit, or has submodules, which are not in it.
    """
    if not _COMMIT.match(commit):
        raise FatalError(f"`{commit}` is not the full name of a commit", "40 hex digits name it")
    shown = without_credentials(repository)
    with tempfile.TemporaryDirectory(prefix="envtag-git-") as scratch:
        clone = _Clone(Path(scratch))
        clone.fetch(repository, commit, shown)
        entries = clone.run("ls-tree", "-r", "-z", commit, check=f"cannot list commit {commit[:12]} of `{shown}`")
        modules = [entry for entry in entries.stdout.split(b"\0") if entry.startswith(b"160000 ")]
        if modules:
            path = modules[0].partition(b"\t")[2].decode("utf-8", "replace")
            raise FatalError(
                f"`{shown}` has a submodule at `{path}`, and the archive of a commit has no files of it",
                "publish a wheel of it, and name its URL or version",
            )
        options = ("archive", "--format=tar", f"--prefix={root}/", f"--output={target.absolute()}", commit)
        clone.run(*_SETTINGS, *options, check=f"cannot archive commit {commit[:12]} of `{shown}`")
        return int(clone.run("show", "--no-patch", "--format=%ct", commit, check="cannot read a commit's date").text())


class _Clone:
    """A bare repository that lives for one call.

    Args:
        directory: An empty directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.run("init", "--quiet", "--bare", "--template=", ".", check="cannot make a git repository")
        (directory / "info").mkdir(exist_ok=True)
        (directory / "info" / "attributes").write_text(_ATTRIBUTES, "utf-8")

    def run(self, *arguments: str, check: str | None = None) -> Completed:
        """Run git here, without anybody's configuration."""
        environ = {
            **git_environment(os.environ, ceiling=self.directory.parent),
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "0",
        }  # fmt: skip
        return process.run(("git", *arguments), cwd=self.directory, env=environ, check=check)

    def fetch(self, repository: str, commit: str, shown: str) -> None:
        """Fetch a commit alone; from a server that does not give one by its name, all that its refs lead to."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
        done = self._ask("fetch", *options, "--depth=1", "--", repository, commit)
        if done.returncode != 0:
            refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            done = self._ask("fetch", *options, "--", repository, *refs)
        if done.returncode != 0:
            raise done.failure(f"cannot fetch from `{shown}`", _REACH)
        if self.run("cat-file", "-e", f"{commit}^{{commit}}").returncode != 0:
            raise FatalError(
                f"`{shown}` has no commit {commit} any more",
                "its history was rewritten: only a store that holds the archive can still give it",
            )

    def _ask(self, *arguments: str) -> Completed:
        """Run git with the user's own settings, which say how a server is reached and who asks."""
        environ = git_environment(os.environ, ceiling=self.directory.parent)
        return process.run(("git", *arguments), cwd=self.directory, env=environ, timeout=NETWORK_SECONDS)
