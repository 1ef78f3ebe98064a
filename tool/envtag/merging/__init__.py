"""Merging what two branches made of an environment: specs and ledgers by meaning, locks by a solve that keeps pins."""

from __future__ import annotations

from envtag.merging.files import merge_ledger_file, merge_spec_file
from envtag.merging.locks import merge_lock_file
from envtag.merging.model import Versions
from envtag.merging.unmerged import is_settled, unmerged_pins

__all__ = ["Versions", "is_settled", "merge_ledger_file", "merge_lock_file", "merge_spec_file", "unmerged_pins"]
