"""One input of the fuzzer in, what a host sent out: its first byte says which section the rest stands in."""

from auditor.collect import unframe
from auditor.collect.sections import SECTIONS
from auditor.model.facts import HostFacts
from auditor.model.snapshot import Section, Snapshot
from auditor.parse import parse_snapshot
from tests.collect.answers import a_transcript
from tests.parse.snapshots import a_snapshot

WHOLE = 255
"""The first byte of an input that is a whole answer, with its frame."""
_DULL = a_snapshot()
_TRANSCRIPT = a_transcript(b"", session={"address": "192.0.2.10"})


def parse_input(data: bytes) -> HostFacts:
    """Return what is made of one input, which must neither raise nor take more than its share of time."""
    which, rest = data[:1] or b"\xff", data[1:]
    if which[0] == WHOLE:
        transcript = a_transcript(rest)
        return parse_snapshot(unframe(transcript), transcript)
    name = SECTIONS[which[0] % len(SECTIONS)]
    sections = {**_DULL.sections, name: Section(name=name, status="ok", data=rest)}
    return parse_snapshot(Snapshot(sections=sections), _TRANSCRIPT)


def as_input(name: str, data: bytes) -> bytes:
    """Return the input that puts `data` into the section `name`."""
    return bytes([SECTIONS.index(name)]) + data
