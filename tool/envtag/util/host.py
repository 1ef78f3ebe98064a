"""What this machine is."""

from __future__ import annotations

import os


def machine() -> str:
    """The name of this machine's processor family (`x86_64`, `AMD64`, `arm64`), as its system has it."""
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform  # takes 4 ms to load

    return platform.machine()
