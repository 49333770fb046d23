"""What only programs of this machine can tell about ssh_config: `ssh -G`, and the commands of Match exec.

Both run as the user does, with nothing on standard input, and for a few seconds at most.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

_QUERY_S = 10.0
_MOST = 1024 * 1024


class SshRefusedError(Exception):
    """ssh could not tell; the text is what it said."""


def find_ssh() -> str | None:
    """Return the path of the ssh program, None when there is none."""
    return shutil.which("ssh")


def query_ssh(program: str, arguments: Sequence[str]) -> str:
    """Return what `ssh -G` prints for `arguments`. Raises SshRefusedError."""
    try:
        done = subprocess.run(
            [program, "-G", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_QUERY_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise SshRefusedError(f"no answer within {_QUERY_S:.3g} s") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise SshRefusedError(getattr(error, "strerror", None) or str(error)) from None
    if done.returncode:
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise SshRefusedError("; ".join(said[:3]) or f"exit status {done.returncode}")
    return done.stdout[:_MOST].decode("utf-8", "surrogateescape")


def run_condition(command: str) -> bool:
    """Return whether the command of a Match exec ends with status 0; the user's shell runs it, as ssh does."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        done = subprocess.run(
            [shell, "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_QUERY_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
