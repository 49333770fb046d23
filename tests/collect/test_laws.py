"""Laws of the frame: what is framed comes back, and no bytes at all make it raise or call damage whole."""

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collect import unframe
from auditor.collect.frame import _Reading
from auditor.collect.sections import SECTIONS
from auditor.model.snapshot import Snapshot
from tests.collect.answers import NONCE, a_transcript, frame

# Bytes that mean something to the frame, more often than chance would have it.
PIECES = st.sampled_from(
    [
        b"\n",
        b"|",
        b"\r\n",
        NONCE.encode(),
        f"\n{NONCE} S tcp\n".encode(),
        f"\n{NONCE} E tcp ok\n".encode(),
        b" END 1 tcp",
        b"0",
    ]
)
BYTES = st.lists(PIECES | st.binary(max_size=20), max_size=30).map(b"".join)
CONTENTS = st.dictionaries(st.sampled_from(SECTIONS[1:]), BYTES, max_size=6)


@given(CONTENTS)
@settings(deadline=None)
def test_what_is_framed_comes_back(contents: dict[str, bytes]) -> None:
    snapshot = unframe(a_transcript(frame(contents)))
    assert snapshot.gaps == ()
    assert {name: snapshot.sections[name].data for name in contents} == contents


@given(BYTES, st.sampled_from([0, 1, None, 255]), st.sampled_from([None, "deadline", "killed"]))
@settings(deadline=None)
def test_bytes_that_are_no_frame_are_one_gap(stdout: bytes, status: int | None, cut: str | None) -> None:
    snapshot = unframe(a_transcript(stdout, exit_status=status, cut=cut))
    if not snapshot.sections:
        assert snapshot.gaps
    assert set(snapshot.sections) <= set(SECTIONS)


@given(CONTENTS, st.data())
@settings(deadline=None)
def test_a_damaged_answer_never_passes_for_another_whole_one(contents: dict[str, bytes], data: st.DataObject) -> None:
    """Bytes taken out of, put into or changed in a whole answer: either a gap, or only content or noise has changed."""
    whole = frame(contents)
    at = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 200))
    damaged = whole[:at] + data.draw(BYTES) + whole[at + length :]
    snapshot = unframe(a_transcript(damaged))
    assert isinstance(snapshot, Snapshot)
    if not snapshot.gaps:
        assert tuple(snapshot.sections) == SECTIONS
        assert {section.status for section in snapshot.sections.values()} <= {"ok", "absent", "denied", "error"}


@given(CONTENTS, st.data())
@settings(deadline=None)
def test_sections_read_the_short_way_come_out_as_the_long_way_has_them(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    whole = frame(contents)
    at = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 200))
    for answer in (whole, whole[:at] + data.draw(BYTES) + whole[at + length :]):
        transcript = a_transcript(answer)
        with patch.object(_Reading, "_take_whole", return_value=1):
            careful = unframe(transcript)
        assert unframe(transcript) == careful
