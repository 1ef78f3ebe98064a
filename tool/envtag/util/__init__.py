"""Ground: processes, files, locks and canonical JSON. Imports nothing of envtag but `errors`."""

from __future__ import annotations
