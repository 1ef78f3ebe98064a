"""Keys to sign with, real ones, and lists of who may."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.repository import GitRepo

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A person's ssh key.

    Attributes:
        who: What a list of allowed signers calls them.
        path: The private key; the public one is beside it, with `.pub`.
    """

    who: str
    path: Path

    @classmethod
    def make(cls, directory: Path, who: str, kind: str = "ed25519") -> Key:
        """Make a key without a passphrase."""
        path = directory / who.partition("@")[0]
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", who, "-f", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return cls(who=who, path=path)

    @property
    def public(self) -> str:
        """Kind and key, without the comment."""
        return " ".join(self.path.with_suffix(".pub").read_text().split()[:2])

    def line(self, options: str = "") -> str:
        """The line that allows it."""
        return f"{self.who} {options + ' ' if options else ''}{self.public}\n"

    def configure(self, repo: GitRepo) -> None:
        """Let git sign with it in a repository."""
        repo.git("config", "gpg.format", "ssh")
        repo.git("config", "user.signingkey", str(self.path))
