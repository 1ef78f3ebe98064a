"""Newer packages for an environment, and nothing else moved that need not move."""

from __future__ import annotations
