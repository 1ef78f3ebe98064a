"""`python -m envtag`."""

from __future__ import annotations

from envtag.cli import main

main()
