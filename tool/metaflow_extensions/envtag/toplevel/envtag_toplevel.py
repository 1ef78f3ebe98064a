"""Nothing but a name and a version: decorators become top-level names by themselves."""

from __future__ import annotations

__mf_extensions__ = "envtag"
__version__ = "0.1.0"
