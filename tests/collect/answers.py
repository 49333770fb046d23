"""What a host sends: the frame as the script prints it, to be damaged by a test, and a transcript around it."""

from collections.abc import Mapping
from typing import Any

from auditor.collect.sections import SECTIONS
from auditor.model.transcript import Transcript
from tests.builders import NOW

NONCE = "00112233445566778899aabbccddeeff"
OTHER = "f" * 32


def frame_section(name: str, data: bytes = b"", status: str = "ok", nonce: str = NONCE) -> bytes:
    """Return one section: its bytes with `|` in front of every line, and one newline more."""
    lines = data.split(b"\n")
    payload = b"".join(b"|" + line + b"\n" for line in lines[:-1]) + (b"|" + lines[-1] if lines[-1] else b"")
    return f"{nonce} S {name}\n".encode() + payload + f"\n{nonce} E {name} {status}\n".encode()


def frame(sections: Mapping[str, bytes] | None = None, nonce: str = NONCE) -> bytes:
    """Return a whole answer with every section of the script, in its order; `sections` gives some of them content."""
    content = {"uname": b"Linux 6.1.0 x86_64\n", **(sections or {})}
    body = b"".join(frame_section(name, content.get(name, b""), nonce=nonce) for name in SECTIONS)
    return begin(nonce) + body + end(nonce=nonce)


def begin(nonce: str = NONCE) -> bytes:
    return f"\n{nonce} B 1\n".encode()


def end(*names: str, nonce: str = NONCE) -> bytes:
    listed = names or SECTIONS
    return f"{nonce} END {len(listed)} {' '.join(listed)}\n".encode()


def a_transcript(stdout: bytes, **fields: Any) -> Transcript:
    defaults: dict[str, Any] = {"nonce": NONCE, "exit_status": 0, "started_at": NOW, "finished_at": NOW}
    return Transcript(stdout=stdout, **{**defaults, **fields})
