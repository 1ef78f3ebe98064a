"""What `gc` does to a store: find what is needed, and free the rest in two phases, beside running publishers."""

from __future__ import annotations

from envtag.collection.marking import Item, Survey, survey
from envtag.collection.roots import Roots, git_roots, store_roots
from envtag.collection.sweep import Fate, Sweep, Swept, store_time

__all__ = ["Fate", "Item", "Roots", "Survey", "Sweep", "Swept", "git_roots", "store_roots", "store_time", "survey"]
