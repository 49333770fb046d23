"""A glance at a run in, the few lines that show it on a terminal out, never wider or higher than that."""

from collections.abc import Mapping, Sequence

from auditor.cli.board import Glance, Sighting
from auditor.display import count_columns, escape, pad

_BAR = 24
_MOST_FLIGHTS = 8
_NOT_SLOW_S = 1.0
"""A host at work for less than this is not worth a line that is gone at the next look."""
_COLORS = {"compliant": "32", "collected": "32", "violating": "31", "incomplete": "33", "unreachable": "33"}
"""SGR parameters (ECMA-48 §8.3.117), as the summary has them."""


def draw_glance(glance: Glance, width: int, height: int, *, color: bool) -> list[str]:
    """Return the lines for a screen of `width` columns and `height` rows, the most important first."""
    lines = [_fit(f"{_bar(glance)} {describe_pace(glance)}", width)]
    if height >= 4 and glance.statuses:
        lines.append(_show_statuses(glance.statuses, width, color=color))
    slow = [flight for flight in glance.in_flight if flight.age >= _NOT_SLOW_S]
    room = min(_MOST_FLIGHTS, height - 5)
    if slow and room > 0:
        lines.append(_fit(f"  {len(glance.in_flight)} at work, the longest:", width))
        lines += [_fit(f"  {line}", width) for line in _show_flights(slow[:room])]
    return lines


def describe_pace(glance: Glance) -> str:
    """Return `12/40 hosts  3.1/s  9s left`."""
    parts = [f"{glance.done}/{glance.total} hosts"]
    if glance.rate is not None:
        parts.append(f"{glance.rate:.1f}/s" if glance.rate < 10 else f"{glance.rate:.0f}/s")
    if glance.left is not None and glance.done < glance.total:
        parts.append(f"{show_seconds(glance.left)} left")
    return "  ".join(parts)


def describe_statuses(statuses: Mapping[str, int]) -> str:
    """Return `3 compliant, 1 unreachable`."""
    return ", ".join(f"{number} {status}" for status, number in statuses.items())


def show_seconds(seconds: float) -> str:
    """Return `9s`, `1m05s`, `2h03m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def count_rows(lines: Sequence[str], width: int) -> int:
    """Return how many rows of a terminal plain lines take, should it have become narrower since they were written."""
    return sum(max(1, -(-count_columns(line) // max(1, width))) for line in lines)


def _bar(glance: Glance) -> str:
    filled = _BAR * glance.done // glance.total if glance.total else _BAR
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def _show_statuses(statuses: Mapping[str, int], width: int, *, color: bool) -> str:
    whole = f"  {describe_statuses(statuses)}"
    fitted = _fit(whole, width)
    if not color or fitted != whole:
        return fitted
    shown = (f"\x1b[{_COLORS.get(status, '0')}m{number} {status}\x1b[0m" for status, number in statuses.items())
    return f"  {', '.join(shown)}"


def _show_flights(flights: Sequence[Sighting]) -> list[str]:
    names = [escape(flight.name, 60) for flight in flights]
    longest = max(count_columns(name) for name in names)
    return [
        f"{show_seconds(flight.age):>6}  {pad(name, longest)}  {describe_phase(flight)}".rstrip()
        for flight, name in zip(flights, names, strict=True)
    ]


def describe_phase(flight: Sighting) -> str:
    """Return `auth for 3s`; nothing between two phases."""
    return f"{escape(flight.phase, 80)} for {show_seconds(flight.phase_age)}" if flight.phase else ""


def _fit(text: str, width: int) -> str:
    """Return `text` cut so that it leaves the last column free: a full row makes some terminals begin another."""
    if count_columns(text) < width:
        return text
    kept, used = "", 0
    for character in text:
        used += count_columns(character)
        if used >= width - 1:
            break
        kept += character
    return f"{kept}…" if width > 1 else ""
