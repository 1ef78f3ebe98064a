"""Where bytes are kept: one interface, one file a backend; nothing else touches blobs."""

from __future__ import annotations

import importlib

from envtag.errors import FatalError
from envtag.store.base import Entry, Store, wrong_size
from envtag.util.text import shown

__all__ = ["BACKENDS", "Entry", "Store", "open_store", "wrong_size"]

#: URL scheme to the module that opens such a store: each has `open_url(url) -> Store`.
BACKENDS = {
    "az": "envtag.store.azure",
    "file": "envtag.store.local",
    "gs": "envtag.store.gcs",
    "s3": "envtag.store.s3",
}


def open_store(url: str) -> Store:
    """Open the store that a URL names; nothing is read, and it need not exist yet.

    Args:
        url: `file:///absolute/directory`, `az://ACCOUNT/CONTAINER/PREFIX`, `gs://BUCKET/PREFIX` or `s3://BUCKET/PREFIX`.

    Raises:
        FatalError: The scheme is none of `BACKENDS`, or the URL is malformed.
    """
    scheme, sign, _ = url.partition("://")
    if not sign:
        bare = shown(url.rpartition("@")[2])
        raise FatalError(f"{bare} is not the URL of a store", "for a directory write `file:///absolute/path`")
    module = BACKENDS.get(scheme)
    if module is None:
        known = ", ".join(f"`{name}://`" for name in sorted(BACKENDS))
        raise FatalError(f"`{scheme}` is not a kind of store that this version reads", f"known: {known}")
    store: Store = importlib.import_module(module).open_url(url)
    return store
