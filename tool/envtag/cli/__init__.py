"""The command line: parses arguments and calls verbs; the only place that knows click."""

from __future__ import annotations

from envtag.cli.entry import main

__all__ = ["main"]
