"""What of this extension travels in a flow's code package: its Python, nothing else."""

from __future__ import annotations

include_suffixes = [".py"]
