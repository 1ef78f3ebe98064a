"""A store as pods read it: a bucket without an SDK, since loading one takes longer than fetching what hydrates."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from envtag.pods import s3_get
from envtag.pods.reading import Reading
from envtag.store import Store, open_store
from envtag.store.s3 import S3Store, open_url


def open_reader(url: str) -> Store:
    """Open a store that is only read.

    Raises:
        FatalError: It is the URL of none.
    """
    if url.startswith(("gs://", "az://")):
        from envtag.pods.cloud import open_cloud  # with two SDKs' stores, which a pod of S3 has no use for

        return open_cloud(url)
    if not url.startswith("s3://"):
        return open_store(url)
    found = open_url(url)
    return S3Reader(bucket=found.bucket, prefix=found.prefix)


@dataclass(slots=True, kw_only=True)
class S3Reader(Reading, S3Store):
    """A bucket of S3."""

    _who: Any = s3_get
    _header: str = "ETag"
    _elsewhere = staticmethod(s3_get.elsewhere)
    _found: list[Any] = field(default_factory=list, repr=False)
    _finding: threading.Lock = field(default_factory=threading.Lock, repr=False)
