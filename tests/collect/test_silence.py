"""Answers without a frame: one gap each, which says what the user can do."""

from typing import Any

import pytest

from auditor.collect import unframe
from tests.collect.answers import OTHER, a_transcript, frame


@pytest.mark.parametrize(
    ("fields", "source", "words"),
    [
        ({"stdout": b"This account is currently not available.\n", "exit_status": 1}, "no-shell", "nologin"),
        ({"stdout": b"This service allows sftp connections only.\n", "exit_status": 1}, "no-shell", "SFTP"),
        ({"stdout": b"", "stderr": b"rbash: line 1: exec: restricted\n", "exit_status": 1}, "no-shell", "restricted"),
        ({"stdout": b"", "stderr": b"sh: 1: /bin/sh: not found\n", "exit_status": 127}, "no-shell", "/bin/sh"),
        ({"stdout": b"", "stderr": b"Your password has expired.\n", "exit_status": 1}, "no-shell", "expired"),
        ({"stdout": b"", "exit_status": 7}, "no-frame", "exit status 7"),
        ({"stdout": b"", "exit_status": None}, "no-frame", "no exit status"),
        ({"stdout": b"ROUTER> % Unknown command\n", "exit_status": 0}, "no-frame", "ROUTER> % Unknown command"),
        ({"stdout": b"hello", "exit_status": None, "cut": "deadline"}, "cut-off", "timeout"),
        ({"stdout": frame(nonce=OTHER), "exit_status": 0}, "no-frame", "something else"),
    ],
)
def test_one_gap_that_says_what_to_do(fields: dict[str, Any], source: str, words: str) -> None:
    snapshot = unframe(a_transcript(**fields))
    assert snapshot.sections == {}
    (gap,) = snapshot.gaps
    assert gap.source == source
    assert words in gap.reason


def test_what_was_said_is_escaped_and_short() -> None:
    (gap,) = unframe(a_transcript(b"\x1b[31m" + b"A" * 5000)).gaps
    assert "\\x1b[31mAAA" in gap.reason
    assert "\x1b" not in gap.reason
    assert len(gap.reason) < 400


@pytest.mark.parametrize("nonce", ["", "zz", "é" * 32, "0" * 33])
def test_a_transcript_with_a_nonce_that_is_none_has_no_frame(nonce: str) -> None:
    (gap,) = unframe(a_transcript(frame(nonce="0" * 32), nonce=nonce)).gaps
    assert gap.source == "no-frame"
