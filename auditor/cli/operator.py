"""Who runs this program, and how it was called: for the report, where an auditor looks for it."""

import os
import platform
import pwd
import re
import shlex
import sys
from contextlib import suppress

_SECRET_IN_URL = re.compile(r"(?<=//)([^/@:\s]*):[^/@\s]*@")
_LONGEST = 4000


def name_operator() -> str:
    """Return `user@machine`, and who that was before sudo(8): the user as the password database has it, not $USER."""
    user = str(os.getuid())
    with suppress(KeyError):  # a container's user without an entry
        user = pwd.getpwuid(os.getuid()).pw_name
    before = os.environ.get("SUDO_USER", "")
    said = f" (by sudo from {before})" if before and before != user else ""
    return f"{user}@{platform.node()}{said}"[:_LONGEST]


def show_command() -> str:
    """Return the command as a shell would take it, without any password in a URL."""
    return _SECRET_IN_URL.sub(r"\1:…@", shlex.join(["netaudit", *sys.argv[1:]]))[:_LONGEST]
