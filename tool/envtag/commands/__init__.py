"""The verbs: one module each, a function from values to an exit code; they do not import each other."""

from __future__ import annotations
