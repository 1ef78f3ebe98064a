"""The name and version that Metaflow adds to its own."""

from __future__ import annotations

toplevel = "envtag_toplevel"
