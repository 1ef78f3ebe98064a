"""How often a store is asked for the same thing, and how long is waited between."""

from __future__ import annotations

import random
import time

#: How often anything is asked for, the first time included.
ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.2


def pause(attempt: int) -> None:
    """Wait after an attempt (0 is the first): longer each time, and not in step with others."""
    time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
