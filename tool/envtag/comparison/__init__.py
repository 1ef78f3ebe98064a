"""Two states of environments, by whatever names them, and what differs between them."""

from __future__ import annotations

from envtag.comparison.contents import compared
from envtag.comparison.operands import Operands
from envtag.comparison.states import LockFile, One, State, Tree

__all__ = ["LockFile", "One", "Operands", "State", "Tree", "compared"]
