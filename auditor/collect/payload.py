"""The bytes between a section's two marks in, its payload out, with what was wrong in between."""

import re
from typing import NamedTuple

MAX_LINE = 64 * 1024
MAX_SECTION = 16 * 1024 * 1024

_STRAY = re.compile(rb"\n(?!\|)[^\n]{0,200}")


class Payload(NamedTuple):
    """`data` without prefixes. `fault` says why it is not all there ('' when it is); `stray` is the first line that the
    script did not print (None: every line is its own)."""

    data: bytes
    fault: str = ""
    stray: bytes | None = None


def take_payload(block: bytes) -> Payload:
    """Return the payload of a block of prefixed lines, up to the first that is too long or has no prefix.

    The block does not hold the newline that the script adds after every payload, so that a payload without a last
    newline keeps its shape.
    """
    fault = ""
    if len(block) > MAX_LINE and (size := _fit(block)) < len(block):
        fault = f"is cut: a line over {MAX_LINE} or a payload over {MAX_SECTION} bytes"
        block = block[:size]
    if not block:
        return Payload(b"", fault)
    if not block.startswith(b"|"):
        return Payload(b"", fault, stray=block[:200].partition(b"\n")[0])
    data = block[1:].replace(b"\n|", b"\n")
    prefixed = len(block) - 1 - len(data)  # how many lines after the first have a prefix: each lost one byte
    if block.count(b"\n") - block.endswith(b"\n") == prefixed:
        return Payload(data, fault)
    stray = _STRAY.search(block)
    cut = stray.start() + 1 if stray else len(block)
    return Payload(block[1:cut].replace(b"\n|", b"\n"), fault, stray=stray.group()[1:] if stray else b"")


def _fit(block: bytes) -> int:
    """Return how many of the block's bytes are within the limits on a line and on a section."""
    limit = min(len(block), MAX_SECTION)
    position = 0
    while limit - position > MAX_LINE:
        newline = block.rfind(b"\n", position, position + MAX_LINE + 1)
        if newline < 0:
            return position
        position = newline + 1
    return limit
