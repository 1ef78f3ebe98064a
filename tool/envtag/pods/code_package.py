"""The code package of a flow, fetched without boto: where a command has to be short, in place of Metaflow's own."""

from __future__ import annotations

import sys
from pathlib import Path

from envtag.errors import FatalError
from envtag.pods.bucket import open_reader


def main(url: str, target: str) -> str | None:
    """Fetch an object of a bucket to a file; what went wrong in one line, or None.

    Args:
        url: `s3://BUCKET/KEY`.
        target: The file.
    """
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        data = open_reader(f"s3://{bucket}").read(key)
    except FatalError as error:
        return f"envtag: error: {error.message}"
    if data is None:
        return f"envtag: error: there is no {url}"
    Path(target).write_bytes(data)
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
