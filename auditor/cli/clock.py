"""The one clock. SOURCE_DATE_EPOCH (reproducible-builds.org) stops it, so that a run can be repeated to the byte."""

import os
from datetime import UTC, datetime

from auditor.errors import UsageError


def is_stopped() -> bool:
    """Return whether SOURCE_DATE_EPOCH is set."""
    return "SOURCE_DATE_EPOCH" in os.environ


def read_clock() -> datetime:
    """Return the time now in UTC, or the moment SOURCE_DATE_EPOCH names. Raises UsageError when that is no number."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC)
    if not (fixed.isascii() and fixed.isdecimal() and len(fixed) <= 11):
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {fixed!r}, not a number of seconds", "unset it, or give it seconds since 1970-01-01"
        )
    return datetime.fromtimestamp(int(fixed), UTC)
