"""A transcript without a frame in, one gap out: what happened instead, in words the user can act on."""

from collections.abc import Iterator
from typing import NamedTuple

from auditor.display import escape
from auditor.model.facts import Gap
from auditor.model.transcript import Transcript

_SHOWN = 200


class _Sign(NamedTuple):
    """Text that gives away why no shell ran, and what to tell the user. Matched in lower case."""

    text: bytes
    source: str
    reason: str


_SIGNS = (
    _Sign(b"this account is currently not available", "no-shell", "the account's shell is nologin: give it /bin/sh"),
    _Sign(
        b"this service allows sftp connections only",
        "no-shell",
        "the account may only use SFTP (ForceCommand internal-sftp): allow it to run /bin/sh",
    ),
    _Sign(
        b"password has expired",
        "no-shell",
        "the account's password has expired: renew it, or exempt the audit account (chage -M -1)",
    ),
    _Sign(
        b"restricted",
        "no-shell",
        "the account's shell is restricted and refuses to run /bin/sh: give it /bin/sh as its shell",
    ),
    *(
        _Sign(text, "no-shell", "the host did not find /bin/sh: is the account confined (chroot)?")
        for text in (b"/bin/sh: no such file", b"/bin/sh: not found", b"sh: command not found")
    ),
    _Sign(b"/bin/sh: permission denied", "no-shell", "the account may not run /bin/sh: allow it to"),
)

_CUTS = {
    "output-cap": "it was longer than the limit for one host",
    "deadline": "the host's time was up (raise `timeout` if the host is only slow)",
    "lost": "the connection broke",
    "killed": "a signal ended the script on the host",
}


def explain_silence(transcript: Transcript) -> Gap:
    """Return the one gap of a host that answered without any frame."""
    said = (transcript.stderr[:4096] + b"\n" + transcript.stdout[:4096]).lower()
    shown = _quote(transcript)
    if transcript.cut is not None:
        return Gap(source="cut-off", reason=f"the answer ended before it began: {_CUTS[transcript.cut]}{shown}")
    for sign in _SIGNS:
        if sign.text in said:
            return Gap(source=sign.source, reason=sign.reason + shown)
    status = "no exit status" if transcript.exit_status is None else f"exit status {transcript.exit_status}"
    if not transcript.stdout.strip():
        reason = f"the host ran something that printed nothing ({status}): look for `exit` or `exec` in the start files"
        return Gap(source="no-frame", reason=f"{reason} of the account's shell, and for a forced command{shown}")
    reason = f"the host answered something else ({status}): is this a Unix account with a shell, and no forced command?"
    return Gap(source="no-frame", reason=reason + shown)


def explain_early_end(transcript: Transcript) -> Gap:
    """Return the one gap of a host on which the script could read nothing, not even what system it is on."""
    reason = "the script could not read what system this is (/proc, and uname), and ended"
    return Gap(source="no-system", reason=reason + _quote(transcript, stdout=False))


def explain_cut(transcript: Transcript) -> Iterator[Gap]:
    """Yield a gap when a framed answer did not end by itself with exit status 0, as the script always does."""
    if transcript.cut is not None:
        yield Gap(source="cut-off", reason=f"the answer was cut off: {_CUTS[transcript.cut]}")
    elif transcript.exit_status is None:
        yield Gap(source="exit-status", reason="the host never said how the script ended, so its answer may be partial")
    elif transcript.exit_status != 0:
        reason = f"the script ended with exit status {transcript.exit_status} instead of 0"
        yield Gap(source="exit-status", reason=reason + _quote(transcript, stdout=False))


def _quote(transcript: Transcript, *, stdout: bool = True) -> str:
    """Return the first bytes the host said, errors first, made safe to show."""
    said = transcript.stderr.strip() or (transcript.stdout.strip() if stdout else b"")
    if not said:
        return ""
    text = said[:_SHOWN].decode("utf-8", "backslashreplace")
    return f'; it said: "{escape(text, _SHOWN)}"'
