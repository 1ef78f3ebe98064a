"""A registry with two branches that grow apart, and git with the merge drivers that `init` told it of."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from envtag.lock import Lock, read
from support.repository import GitRepo
from support.story import HERE, MINOR, Story

SPEC = f"# The base.\nchannels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha 1.0  # not 2\n"


@dataclass(frozen=True, slots=True)
class Done:
    """What a git command came to."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Branches:
    """A registry, of which `ours` and `theirs` are branches that begin at `main`."""

    story: Story

    @property
    def repo(self) -> GitRepo:
        return self.story.repo

    def git(self, *arguments: str) -> Done:
        """Run git in the registry, as a person does; it may fail."""
        command = ["git", "-C", str(self.repo.path), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        return Done(done.returncode, (done.stdout + done.stderr).decode())

    def branch(self, name: str, files: Mapping[str, str | None] | None = None, *, lock: bool = True) -> None:
        """Make a branch of `main` with changed files, locked again and committed."""
        self.repo.git("checkout", "--quiet", "-B", name, "main")
        self.change(files or {}, name, lock=lock)

    def change(self, files: Mapping[str, str | None], message: str = "a change", *, lock: bool = True) -> None:
        """Commit changed files on the branch that is checked out."""
        self.repo.write(files)
        if lock:
            self.story.call("lock")
        self.repo.commit(message=message)

    def lock(self, name: str = "mlp/base", platform: str = HERE, revision: str = "") -> Lock:
        """A lock of the work tree, or of a revision."""
        path = f"envs/{name}/{platform}-lock.yml"
        if revision:
            return read(f"{self.repo.git('show', f'{revision}:{path}')}\n".encode(), path)
        return read((self.repo.path / path).read_bytes(), path)

    def text(self, path: str) -> str:
        return (self.repo.path / path).read_text()

    def conflicts(self) -> list[str]:
        """The paths that git holds as conflicts."""
        return self.repo.git("diff", "--name-only", "--diff-filter=U").split()


def one(story: Story) -> None:
    """State: `mlp/base` of conda packages, locked for two platforms, not released."""
    story.resolve("mlp/base", environment=SPEC, options=("--platform", HERE, "--platform", "osx-arm64"))
    story.commit("mlp/base")
