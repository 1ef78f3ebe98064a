"""An archive of a bucket, fetched by boto: what a pod runs whose command may not be as long as `s3_get` is.

AWS Batch takes 8,192 characters for all that a job overrides. There, Metaflow's own command brings boto, or the image
has it.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile


def main(bucket: str, key: str, sha256: str, target: str) -> None:
    """Unpack an archive into a directory, which is there whole or not at all."""
    import boto3

    url = os.getenv("METAFLOW_S3_ENDPOINT_URL") or None
    data = boto3.client("s3", endpoint_url=url).get_object(Bucket=bucket, Key=key)["Body"].read()
    if hashlib.sha256(data).hexdigest() != sha256:
        sys.exit(f"envtag: s3://{bucket}/{key} has other bytes than it should")
    if not os.path.isdir(target):
        zipfile.ZipFile(io.BytesIO(data)).extractall(f"{target}.tmp")
        os.rename(f"{target}.tmp", target)


if __name__ == "__main__":
    main(*sys.argv[1:])
