"""What sudo said in, a gap out when the account was to be raised with it and was not.

Its messages are recognised in the C locale, which the script sets: plugins/sudoers of sudo 1.8 and 1.9, and sudo-rs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from auditor.display import escape
from auditor.model.facts import Gap
from auditor.model.snapshot import Section
from auditor.parse.owners import Ownership

_ASKED_FOR = rb"a password is required|interactive authentication is required|authentication required"
_SHOWN = 200


class _Cause(NamedTuple):
    """A word for what went wrong, the text that gives it away, and what to tell the user."""

    code: str
    sign: re.Pattern[bytes]
    reason: str


def _cause(code: str, sign: bytes, reason: str) -> _Cause:
    return _Cause(code, re.compile(sign, re.IGNORECASE | re.MULTILINE), reason)


_CAUSES = (
    _cause("sudo-absent", rb"sudo: (command )?not found", "the host has no sudo: install it, or log in as root"),
    _cause(
        "sudo-requires-tty",
        rb"you must have a tty|a terminal is required to (?!read)|requires a tty",
        "sudo wants a terminal (requiretty): write `Defaults:ACCOUNT !requiretty` into the host's sudoers",
    ),
    _cause(
        "sudo-not-remembered",
        rb"^\+$(?s:.*)(?:" + _ASKED_FOR + rb")",
        "sudo took the password and forgot it at once (timestamp_timeout=0): let the account do without one (NOPASSWD)",
    ),
    _cause(
        "sudo-wrong-password",
        rb"incorrect (?:password|authentication) attempt|no password was provided|try again|incorrect password",
        "sudo refused the password, which was tried once: check what `sudo_password` refers to",
    ),
    _cause(
        "sudo-not-allowed",
        rb"not in the sudoers|is not allowed to (?:execute|run)|may not run sudo|not allowed to run sudo",
        "the account may not use sudo: see `netaudit target-kit` for what it needs",
    ),
    _cause(
        "sudo-needs-password",
        _ASKED_FOR,
        "sudo asks for a password: set `sudo_password: env:NAME`, or let the account do without one (NOPASSWD)",
    ),
)


def check_sudo(sections: Mapping[str, Section], ownership: Ownership) -> Iterator[Gap]:
    """Yield one gap when sudo was asked and did not run our program as root: the host was then read without it."""
    section = sections.get("sudo")
    if section is None or section.status == "absent":
        return
    raised = ownership.view is None or ownership.view.uid == 0
    if section.status == "ok" and raised:
        return
    code, reason = _explain(section)
    yield Gap(source="sudo", reason=f"{reason} ({code}); the host was read without root")


def _explain(section: Section) -> tuple[str, str]:
    for cause in _CAUSES:
        if cause.sign.search(section.data):
            return cause.code, cause.reason
    if section.data.startswith(b"kit\n"):
        return "sudo-kit", "sudo did not start the installed program: install what `netaudit target-kit` prints again"
    lines = [line for line in section.data[:4096].split(b"\n") if line and line != b"+"]
    said = f', it says "{escape(lines[-1].decode("utf-8", "backslashreplace"), _SHOWN)}"' if lines else ""
    return "sudo-failed", f"sudo did not run a program as root{said}"
