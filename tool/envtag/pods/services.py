"""In a pod whose step runs in the image's Python: what boto knows of AWS, whole, where that Python brings no boto.

The archive that pods begin with has the descriptions of the few services that Metaflow asks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from envtag.errors import FatalError
from envtag.platforms import current_platform
from envtag.pods import runtime
from envtag.pods.bucket import open_reader

#: Of a service that the first archive does not describe; there once all are.
_PROBE = Path("botocore") / "data" / "athena"


def main(arguments: Sequence[str]) -> str | None:
    """Complete what boto knows; what went wrong in one line, or None."""
    parser = argparse.ArgumentParser(prog="envtag.pods.services", allow_abbrev=False)
    parser.add_argument("--store", required=True)
    parser.add_argument("--runtime", action="append", default=[], metavar="PLATFORM=SHA256")
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        complete(given.store, dict(item.split("=", 1) for item in given.runtime), given.home / "lib")
    except FatalError as error:
        return f"envtag: error: {error.message}"
    return None


def complete(store: str, runtimes: dict[str, str], library: Path) -> None:
    """Unpack the descriptions of all services beside those that are there, unless they are.

    Args:
        store: URL of the store.
        runtimes: Platform to SHA-256 of the document that says what pods of it need.
        library: Where the first archive is unpacked.

    Raises:
        FatalError: The store does not have them, or nothing is known of this platform.
        DamagedError: They have other bytes.
    """
    if not (library / "botocore").is_dir() or (library / _PROBE).is_dir():
        return
    digest = runtimes.get(current_platform()) or next(iter(runtimes.values()), "")
    reader = open_reader(store)
    part = runtime.read(reader, digest).rest
    with tempfile.TemporaryDirectory(prefix="envtag-") as place:
        archive = Path(place) / part.filename
        if not reader.download(part.key, archive, part.sha256):
            raise FatalError(f"`{part.filename}` is not in {store}, and pods need it", "deploy the flow again")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(library)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
