"""Standard output: written so that a full disk is an error of its own, and a reader that has gone away is none."""

import os
import sys

from auditor.errors import OutputError

_HINT = "give it room, or use -o FORMAT=PATH"


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output; a reader that has gone away (`| head`) is no error. Raises OutputError."""
    if sys.stdout is None:
        raise OutputError("standard output is closed", "open it, or use -o FORMAT=PATH")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        forget_stdout()
    except OSError as error:
        forget_stdout()
        raise unwritable(error) from error


def unwritable(error: OSError, hint: str = _HINT) -> OutputError:
    """Return what to say of standard output that takes no more."""
    return OutputError(f"cannot write to standard output: {error.strerror}", hint)


def flush_stdout() -> None:
    """Bring out what was printed, where an error can still be told. Raises OutputError; lets BrokenPipeError pass."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_stdout()
        raise unwritable(error) from error


def forget_stdout() -> None:
    """Give up on what is buffered: Python would complain again at exit (docs: signal, "Note on SIGPIPE")."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
