"""A host name with ranges in, the names it stands for out, as Ansible unfolds them.

`web-[01:03]` is web-01, web-02, web-03: both ends belong to it, and a leading zero sets the width. `[1:10:3]` counts in
steps, `[a:f]` (lower case before upper case) in letters, a missing begin is 0, and of several ranges the first varies
slowest. Read from the documentation ("How to build your inventory", Adding ranges of hosts) and checked against
ansible-inventory 2.19.14.
"""

import re
import string
from collections.abc import Sequence

from auditor.document import mistake

MAX_HOSTS = 100_000

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_LETTERS = string.ascii_letters
_ANSIBLE = "write [01:10], [1:10:3] or [a:f]"


def expand_ranges(name: str, limit: int = MAX_HOSTS) -> tuple[str, ...]:
    """Return every name that `name` stands for, in order. Raises a mistake for a range that makes no sense.

    `limit` is how many names it may make.
    """
    parts = _RANGE.split(name)
    literals, ranges = parts[0::2], [_unfold(body) for body in parts[1::2]]
    if any("[" in literal or "]" in literal for literal in literals):
        raise mistake(f"{name!r} has a bracket without its partner", _ANSIBLE)
    names = [literals[0]]
    for values, literal in zip(ranges, literals[1:], strict=True):
        if len(names) * len(values) > limit:
            raise mistake(f"{name!r} stands for more than {limit:,} hosts", "an inventory holds at most 100,000 hosts")
        names = [f"{head}{value}{literal}" for head in names for value in values]
    return tuple(names)


def _unfold(body: str) -> Sequence[str]:
    bounds = body.split(":")
    if len(bounds) not in (2, 3):
        hint = f"write [{body.replace('-', ':')}]" if re.fullmatch(r"[0-9]+-[0-9]+", body, re.ASCII) else _ANSIBLE
        raise mistake(f"the range [{body}] is not begin:end or begin:end:step", hint)
    begin, end = bounds[0] or "0", bounds[1]
    if not end:
        raise mistake(f"the range [{body}] has no end", _ANSIBLE)
    step = _step(body, bounds[2]) if len(bounds) == 3 else 1
    if len(begin) == len(end) == 1 and begin in _LETTERS and end in _LETTERS:
        first, last = _LETTERS.index(begin), _LETTERS.index(end)
        _require_order(body, first, last)
        return _LETTERS[first : last + 1 : step]
    return _count(body, begin, end, step)


def _count(body: str, begin: str, end: str, step: int) -> Sequence[str]:
    if not all(re.fullmatch(r"[0-9]{1,18}", bound, re.ASCII) for bound in (begin, end)):
        raise mistake(f"the range [{body}] is neither of two numbers nor of two letters", _ANSIBLE)
    width = len(begin) if begin[0] == "0" and len(begin) > 1 else 0
    if width and len(end) != width:
        raise mistake(f"the range [{body}] has ends of different width", f"write [{begin}:{end.zfill(width)}]")
    first, last = int(begin), int(end)
    _require_order(body, first, last)
    if (last - first) // step >= MAX_HOSTS:
        raise mistake(f"the range [{body}] stands for more than {MAX_HOSTS:,} hosts")
    return [str(number).zfill(width) for number in range(first, last + 1, step)]


def _step(body: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) == 0:
        raise mistake(f"the step of the range [{body}] is not a number of at least 1", _ANSIBLE)
    return int(text)


def _require_order(body: str, first: int, last: int) -> None:
    if first > last:
        raise mistake(f"the range [{body}] is empty: it begins after its end", "write the smaller end first")
