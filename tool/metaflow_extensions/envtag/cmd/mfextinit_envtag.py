"""What this extension adds to the `metaflow` command: `metaflow environment …`, and `metaflow env …` for short."""

from __future__ import annotations

CMDS_DESC = [("environment", ".commands.environment"), ("env", ".commands.env")]
