"""The `git` program: the only package that runs it.

Hot reads go through one `cat-file --batch` process and need no checkout. Refs are fetched by exact refspec, since
`ls-remote` sends every ref of the server. Tags are created in the expectation that there is none, here and there.
"""

from __future__ import annotations

from envtag.git.environment import common_directory, git_directory, is_git_directory
from envtag.git.objects import Commit, TagObject
from envtag.git.repository import Git

__all__ = ["Commit", "Git", "TagObject", "common_directory", "git_directory", "is_git_directory"]
