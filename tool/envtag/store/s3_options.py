"""What boto has no setting of its own for: who pays for requests, and what encrypts that which is written.

The variables are those that other clients of S3 read for the same (the `object_store` crate, GDAL).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from envtag.errors import FatalError

#: Variable to the parameter of the requests that have it.
VARIABLES = MappingProxyType(
    {
        "AWS_REQUEST_PAYER": "RequestPayer",
        "AWS_SERVER_SIDE_ENCRYPTION": "ServerSideEncryption",
        "AWS_SSE_KMS_KEY_ID": "SSEKMSKeyId",
    }
)
_VALUES = MappingProxyType(
    {"AWS_REQUEST_PAYER": ("requester",), "AWS_SERVER_SIDE_ENCRYPTION": ("AES256", "aws:kms", "aws:kms:dsse")}
)


def add_options(client: Any, environ: Mapping[str, str]) -> None:
    """Let each request of a client carry the options that variables name, where its kind has them.

    Args:
        client: boto's client of S3.
        environ: The process's variables.

    Raises:
        FatalError: A variable has a value that S3 does not know.
    """
    options = {}
    for variable, parameter in VARIABLES.items():
        value = environ.get(variable, "")
        known = _VALUES.get(variable)
        if value and known is not None and value not in known:
            raise FatalError(f"{variable} is `{value}`", f"one of {', '.join(f'`{item}`' for item in known)}, or unset")
        if value:
            options[parameter] = value
    if not options:
        return

    def add(params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        members = model.input_shape.members if model.input_shape is not None else {}
        return {**{name: value for name, value in options.items() if name in members}, **params}

    client.meta.events.register("provide-client-params.s3", add)
