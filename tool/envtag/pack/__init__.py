"""One file that holds one environment for a machine without network: its layout, writing it, and reading it back."""

from __future__ import annotations
