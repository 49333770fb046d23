"""Rows of figures in, a table for people out."""

from collections.abc import Mapping, Sequence

Row = Mapping[str, str | float]


def show(title: str, rows: Sequence[Row], note: str = "") -> str:
    """Return a Markdown table; numbers are rounded to what they mean."""
    if not rows:
        return f"## {title}\n\nnothing was measured\n"
    names = list(rows[0])
    cells = [[_spell(row.get(name, "")) for name in names] for row in rows]
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names), *(f"| {' | '.join(row)} |" for row in cells)]
    return "\n".join([f"## {title}", "", *lines, *(["", note] if note else []), ""])


def _spell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
