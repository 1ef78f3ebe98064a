"""What `verify` checks: each link from a tag to the bytes in the store, all of them told and not only the first."""

from __future__ import annotations

from envtag.verification.findings import Finding, Report
from envtag.verification.verifier import Verifier

__all__ = ["Finding", "Report", "Verifier"]
