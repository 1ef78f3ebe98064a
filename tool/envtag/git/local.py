"""Running git on one repository, and reading it: no network, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from envtag.errors import FatalError
from envtag.git.batch import Batch
from envtag.git.environment import common_directory, git_directory, git_environment, is_git_directory
from envtag.git.objects import Commit, TagObject, parse_log, parse_tag, tree_names
from envtag.util import process
from envtag.util.process import Completed

_Git = TypeVar("_Git", bound="LocalGit")


class LocalGit:
    """One repository. Making it starts no process; `close` (or `with`) ends the one that reads keep.

    Args:
        directory: A work tree's top, or a git directory.
        worktree: The work tree of a git directory that is elsewhere.
        settings: Git configuration for each call, kept out of process lists and files.
        fetch_options: Options of each fetch (a partial clone's depth and filter).
        secrets: Texts that no message may show.

    Raises:
        FatalError: There is no repository.
    """

    def __init__(
        self,
        directory: Path,
        *,
        worktree: Path | None = None,
        settings: Mapping[str, str] | None = None,
        fetch_options: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
    ) -> None:
        directory = directory.absolute()
        found = None if worktree is not None else git_directory(directory)
        if found is None and not is_git_directory(directory):
            raise FatalError(f"`{directory}` is not a git repository", "name its top directory, or a bare repository")
        self.worktree = worktree if found is None else directory
        self.directory = found or directory
        location = [f"--git-dir={directory}"] if found is None else ["-C", os.fspath(directory)]
        if worktree is not None:
            location.append(f"--work-tree={worktree}")
        self._argv = ("git", *location)
        self._settings = dict(settings or {})
        self._fetch_options = fetch_options
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        self._batch: Batch | None = None

    def __enter__(self: _Git) -> _Git:  # noqa: PYI019 - `Self` is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that reads keep; a later read starts another."""
        if self._batch is not None:
            self._batch.close()

    @cached_property
    def common_directory(self) -> Path:
        """The git directory that all work trees of this repository share."""
        return common_directory(self.directory)

    def run(
        self, *args: str, stdin: bytes | None = None, check: str | None = None, timeout: float | None = None
    ) -> Completed:
        """Run one git command on this repository.

        Args:
            args: The command and its arguments.
            stdin: Bytes for its standard input.
            check: If given, a failure raises `FatalError` with this as its line.
            timeout: Seconds after which it is ended and `FatalError` raised.

        Raises:
            FatalError: It failed under `check`, or took too long.
        """
        done = process.run((*self._argv, *args), env=self._environment(), stdin=stdin, timeout=timeout)
        if self._secrets:
            done = Completed(
                argv=done.argv, returncode=done.returncode, stdout=done.stdout, stderr=self._redacted(done.stderr)
            )
        if check is not None and done.returncode != 0:
            raise done.failure(check)
        return done

    def prepare(self) -> None:
        """Start what reads objects: it is up by the time that the first one is asked for."""
        self._objects.start()

    def read(self, revision: str, path: str) -> bytes | None:
        """The content of a file at a revision; None if there is no such revision, or no file of that path in it.

        Raises:
            FatalError: The file is there, but its content is missing or cannot be fetched.
        """
        found = self._objects.get(f"{revision}:{path}")
        if found is not None:
            return found.data if found.kind == "blob" else None
        commit = self.commit_of(revision)
        if commit is None:
            return None
        entry = self.run("ls-tree", "--full-tree", commit, "--", path, check=f"cannot read the tree of {commit}").text()
        if " blob " in entry.partition("\t")[0]:
            raise FatalError(
                f"the content of `{path}` at {commit[:12]} is missing from `{self.directory}`",
                "the repository is damaged: clone it again",
            )
        return None

    def commit_of(self, revision: str) -> str | None:
        """The full name of the commit that a revision means; None if it means none."""
        found = self._objects.get(f"{revision}^{{commit}}")
        return found.sha if found is not None else None

    def list_tree(self, revision: str, path: str = "", *, recursive: bool = True) -> list[str]:
        """The paths of a directory at a revision, from the repository's top; none if it has no such directory.

        Args:
            revision: Any name of a commit.
            path: The directory; the top if empty.
            recursive: Files at any depth, and no directories; otherwise both, of this directory alone.

        Raises:
            FatalError: There is no such revision.
        """
        commit = self.commit_of(revision)
        if commit is None:
            raise FatalError(f"`{self.directory}` has no revision `{revision}`", "fetch it first, or correct it")
        options = ["-r"] if recursive else []
        where = [f"{path.rstrip('/')}/"] if path else []
        done = self.run(
            "ls-tree", "-z", "--name-only", "--full-tree", *options, commit, "--", *where, check=f"cannot list {commit}"
        )
        return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]

    def entries(self, revision: str, path: str) -> list[str]:
        """The names in one directory at a revision, none where there is no such directory.

        Args:
            revision: Any name of a commit.
            path: The directory, from the repository's top.
        """
        found = self._objects.get(f"{revision}:{path.rstrip('/')}")
        return tree_names(found.sha, found.data) if found is not None and found.kind == "tree" else []

    def changed(self, path: str) -> bool:
        """Whether the work tree or the index differs from HEAD at or below a path, new files included."""
        done = self.run(
            "--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none",
            "--", path, check=f"cannot compare `{path}` with HEAD",
        )  # fmt: skip
        return bool(done.stdout)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether a commit is another one or before it; false if this repository does not know either."""
        if self.commit_of(older) is None or self.commit_of(newer) is None:
            return False
        done = self.run("merge-base", "--is-ancestor", older, newer)
        if done.returncode not in (0, 1):
            raise done.failure(f"cannot compare the histories of {older} and {newer}")
        return done.returncode == 0

    def log(self, path: str, revision: str = "HEAD", limit: int = 0) -> list[Commit]:
        """The commits up to a revision that changed something at or below a path, newest first.

        Args:
            path: From the repository's top.
            revision: Where to begin; a revision that is not there has no history.
            limit: At most so many; 0 for all.
        """
        commit = self.commit_of(revision)
        if commit is None:
            return []
        bound = [f"--max-count={limit}"] if limit else []
        done = self.run(
            "--literal-pathspecs", "-c", "log.follow=false", "-c", "log.showSignature=false", "log", "-z", *bound,
            "--format=%H%x1f%an <%ae>%x1f%at%x1f%s", commit, "--", path, check=f"cannot read the history of `{path}`",
        )  # fmt: skip
        return parse_log(done.stdout)

    def commits_about(self, text: str, path: str, limit: int) -> list[str]:
        """The newest commits that brought a text to, or took it from, files at or below a path; of every branch.

        Args:
            text: Looked for as it is.
            path: From the repository's top.
            limit: At most so many.
        """
        done = self.run(
            "--literal-pathspecs", "-c", "log.showSignature=false", "log", "--all", "--format=%H",
            f"--max-count={limit}",
            f"-S{text}", "--", path, check=f"cannot search the history of `{path}`",
        )  # fmt: skip
        return done.text().split()

    def commit(self, revision: str) -> Commit | None:
        """The commit that a revision means; None if it means none."""
        sha = self.commit_of(revision)
        if sha is None:
            return None
        options = ("--no-walk", "-z", "--format=%H%x1f%an <%ae>%x1f%at%x1f%s")
        done = self.run("-c", "log.showSignature=false", "log", *options, sha, "--", check=f"cannot read {sha}")
        return parse_log(done.stdout)[0]

    def changed_between(self, older: str, newer: str, path: str) -> list[str]:
        """The paths of files at or below a path that two revisions have different, sorted; a rename is two of them.

        Args:
            older: Any name of a commit.
            newer: Any name of a commit.
            path: From the repository's top.

        Raises:
            FatalError: One of the revisions is not there.
        """
        commits = [self.commit_of(revision) for revision in (older, newer)]
        for revision, commit in zip((older, newer), commits, strict=True):
            if commit is None:
                raise FatalError(f"there is no revision `{revision}` in `{self.directory}`", "fetch it, or correct it")
        done = self.run(
            "--literal-pathspecs", "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", *map(str, commits),
            "--", path, check=f"cannot compare {older} with {newer}",
        )  # fmt: skip
        return sorted(name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name)

    def grep(self, text: str, patterns: tuple[str, ...], revision: str = "") -> list[str]:
        """The paths of files that hold a text, sorted.

        Args:
            text: Looked for as it is.
            patterns: Git pathspecs of the files to look into (`envs/*/tags.yml`; `*` matches `/` too).
            revision: Where to look; the work tree if empty, with files that git does not know yet.
        """
        where = [revision] if revision else ["--untracked"]
        done = self.run("grep", "-l", "-z", "-I", "--fixed-strings", "-e", text, *where, "--", *patterns)
        if done.returncode not in (0, 1):
            raise done.failure(f"cannot search `{self.directory}`")
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return sorted(name.removeprefix(f"{revision}:") if revision else name for name in names if name)

    def tag(self, ref: str) -> TagObject | None:
        """The annotated tag of a ref; None if there is no such ref.

        Raises:
            FatalError: The ref is a lightweight tag, or the tag is malformed.
        """
        found = self._objects.get(ref)
        if found is None:
            return None
        if found.kind != "tag":
            raise FatalError(
                f"`{ref}` is not an annotated tag", "it was not made by envtag: remove it, or take another tag"
            )
        return parse_tag(found.sha, found.data, ref)

    def configured(self, pattern: str) -> dict[str, str]:
        """Git's configuration: key to its last value, for keys that match a regular expression, in its order."""
        done = self.run("config", "-z", "--get-regexp", pattern)
        if done.returncode not in (0, 1):
            raise done.failure("cannot read git's configuration")
        pairs = (entry.partition("\n") for entry in done.stdout.decode("utf-8", "replace").split("\0") if entry)
        return {key: value for key, _, value in pairs}

    @property
    def _objects(self) -> Batch:
        if self._batch is None:
            self._batch = Batch(self._argv, cwd=None, env=self._environment())
        return self._batch

    def _environment(self) -> dict[str, str]:
        ceiling = self.worktree.absolute().parent if self.worktree is not None else None
        return git_environment(os.environ, ceiling=ceiling, settings=self._settings)

    def _redacted(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, b"***")
        return data
