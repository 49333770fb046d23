"""`2026-12-31` in, the same, checked, out. One way to write a date, so that nobody reads another day."""

import re
from datetime import date, timedelta

from auditor.document import mistake

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


_SYNTAX = "write the last day it holds as year-month-day: 2026-12-31"


def check_date(text: object) -> str:
    """Return a date of the calendar as ISO 8601 writes it. Raises a mistake that says what to write instead."""
    if not isinstance(text, str) or not _ISO.fullmatch(text):
        raise mistake(f"{text!r} is not a date", _SYNTAX)
    try:
        date.fromisoformat(text)
    except ValueError:
        raise mistake(f"there is no day {text}", _SYNTAX) from None
    return text


def check_ahead(text: str, today: date, days: int) -> date:
    """Return the date `text`. Raises a mistake when it is more than `days` after `today`."""
    expires, last = date.fromisoformat(text), today + timedelta(days=days)
    if expires > last:
        hint = f"write {last} or a day before it; `max_waiver_days` of the policy says how far ahead one may end"
        raise mistake(f"{text} is more than {days} days away", hint)
    return expires
