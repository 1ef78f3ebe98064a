"""Advisories in the OSV format: which versions of PyPI packages are affected by what, and which are not any more."""

from __future__ import annotations

from envtag.advisories.osv import Advisory
from envtag.advisories.reading import Advisories, read_advisories

__all__ = ["Advisories", "Advisory", "read_advisories"]
