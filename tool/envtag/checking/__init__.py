"""Whether a change of a registry is legal: what `envtag check` finds. Nothing of the change is executed or solved."""

from __future__ import annotations

from envtag.checking.rules import RULES
from envtag.checking.run import check

__all__ = ["RULES", "check"]
