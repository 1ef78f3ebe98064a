"""`envtag find`: what a request was resolved to, by whom and when."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.platforms import check_platform
from envtag.render import table
from envtag.resolutions import find as find_resolutions

if TYPE_CHECKING:
    from envtag.output import Output
    from envtag.store import Store

_ID = re.compile(r"[0-9a-f]{40}")


def find(request: str, *, platform: str, by: str, as_json: bool, store: Store, output: Output) -> int:
    """Print the published resolutions of a request, the newest first.

    Args:
        request: A request id (40 hex digits).
        platform: Only on this platform; all of them if empty.
        by: Only by authors whose `Name <mail>` contains this, in any case.
        as_json: Print a list of objects as JSON.
        store: Where they are recorded.
        output: Where it is told.

    Returns:
        0; 1 where there is none.

    Raises:
        FatalError: It is no id, or a record is malformed.
    """
    if not _ID.fullmatch(request):
        raise FatalError(f"`{request}` is no request id (40 hex digits)", "`envtag show REF` prints that of REF")
    wanted = check_platform(platform) if platform else ""
    found = [item for item in find_resolutions(store, request, wanted) if by.casefold() in item.who.casefold()]
    if as_json:
        output.json([{**asdict(item), "id": f"{item.request}:{item.lock}"} for item in found])
    elif found:
        rows = [(item.when, item.platform, item.lock, item.environment, item.who) for item in found]
        output.data(table(("when", "platform", "lock", "environment", "who"), rows))
    else:
        output.say(f"no resolution of request {request} is recorded in {store.url}")
    return 0 if found else 1
