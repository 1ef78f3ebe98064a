"""Buckets of Google Cloud Storage and of Azure as pods read them: by `gs_get` and `az_get`, without their SDKs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from envtag.pods import az_get, gs_get
from envtag.pods.reading import Reading
from envtag.store import Store, open_store
from envtag.store.azure import AzureStore
from envtag.store.gcs import GcsStore


def open_cloud(url: str) -> Store:
    """Open a store of Google's or Azure's that is only read.

    Raises:
        FatalError: It is the URL of none.
    """
    store = open_store(url)
    if isinstance(store, GcsStore):
        return GcsReader(bucket=store.bucket, prefix=store.prefix)
    if isinstance(store, AzureStore):
        return AzureReader(account=store.account, container=store.container, prefix=store.prefix)
    return store


@dataclass(slots=True, kw_only=True)
class GcsReader(Reading, GcsStore):
    """A bucket of Google Cloud Storage."""

    _who: Any = gs_get
    _header: str = "X-Goog-Generation"
    _found: list[Any] = field(default_factory=list, repr=False)
    _finding: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(slots=True, kw_only=True)
class AzureReader(Reading, AzureStore):
    """A container of Azure Blob Storage."""

    _who: Any = az_get
    _header: str = "ETag"
    _found: list[Any] = field(default_factory=list, repr=False)
    _finding: threading.Lock = field(default_factory=threading.Lock, repr=False)
