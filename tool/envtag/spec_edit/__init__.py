"""Another version in a spec that people wrote: everything else in the file stays as it is, byte for byte."""

from __future__ import annotations

from envtag.spec_edit.edit import Edited, set_versions

__all__ = ["Edited", "set_versions"]
