"""What `envtag doctor` asks: one module a group of questions, each of which answers with findings."""

from __future__ import annotations

from envtag.doctoring.rules import RULES

__all__ = ["RULES"]
