"""Real git repositories for tests, with fixed authors and dates."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A git repository at a path; author, committer and dates come from the test's variables.

    Attributes:
        path: Its work tree, or the repository itself if bare.
    """

    path: Path

    @classmethod
    def create(cls, path: Path, *, bare: bool = False) -> GitRepo:
        """Make an empty repository whose branch is `main`."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        repo.git("init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []))
        return repo

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git there; its stdout without the trailing newline. A failure shows what git said."""
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command} failed: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode().rstrip("\n")

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files into the work tree; None removes one."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None] | None = None, message: str = "a change") -> str:
        """Write files, commit everything in the work tree, and return the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path) -> GitRepo:
        """A clone at a path, over `file://`."""
        self.git("clone", "--quiet", self.path.as_uri(), str(path))
        return GitRepo(path)

    @property
    def url(self) -> str:
        """Its `file://` URL."""
        return self.path.as_uri()
