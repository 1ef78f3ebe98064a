"""Tables and fields as text: aligned, plain, the same on every terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as their widest cell, two blanks between, nothing trailing.

    Args:
        header: A word for each column.
        rows: As many cells each.
    """
    widths = [max(len(line[index]) for line in (header, *rows)) for index in range(len(header))]
    lines = []
    for line in (header, *rows):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def fields(items: Sequence[tuple[str, str]]) -> str:
    """Labels and values in two columns; an empty value leaves its line out."""
    shown = [(label, value) for label, value in items if value]
    width = max((len(label) for label, _ in shown), default=0)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in shown)
