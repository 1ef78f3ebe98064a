"""From git to the store: packages, manifest, git tag, replicas, in this order, each step safe to repeat."""

from __future__ import annotations

from envtag.publication.changes import changed_environments
from envtag.publication.preview import Preview
from envtag.publication.publisher import Publisher
from envtag.publication.report import Failure, Report, Waiting

__all__ = ["Failure", "Preview", "Publisher", "Report", "Waiting", "changed_environments"]
