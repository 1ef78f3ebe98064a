"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path, dir_okay=False)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
variant_option = click.option(
    "--platform",
    default="",
    metavar="P",
    help="The variant to take, such as linux-64-cuda12. Default: the one that fits this machine best.",
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    help="Use the store and this machine's caches alone; never ask an index, channel or remote.",
)
