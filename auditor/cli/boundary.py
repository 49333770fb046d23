"""The one place where errors become messages and exit codes."""

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from auditor.cli import log
from auditor.cli.stdout import flush_stdout, forget_stdout
from auditor.display import escape
from auditor.errors import AuditorError, DocumentError

Parameters = ParamSpec("Parameters")
_FAILURES = {2, 4, 5}
"""Exit codes that are not a verdict but a mistake or a defect."""


def guard(command: Callable[Parameters, int]) -> Callable[Parameters, None]:
    """Return `command` so that its return value is the exit code, and no exception shows as a traceback."""

    @functools.wraps(command)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
            flush_stdout()
        except AuditorError as error:
            code = report_error(error)
        except KeyboardInterrupt:
            code = say_exit(130, ["interrupted"])
        except BrokenPipeError:
            forget_stdout()
            code = say_exit(5, ["standard output was closed"])
        except Exception as error:  # noqa: BLE001 - the boundary: the user gets a sentence and a code, not a traceback
            code = _report_defect(error)
        raise typer.Exit(code)

    return guarded


def report_error(error: AuditorError) -> int:
    """Print `error` and the closing line on standard error; return the exit code."""
    log.say_error(error)
    contacted = "; no host was contacted" if error.exit_code in {2, 4} else ""
    what = f"{error.to_fix} problem(s) to fix" if isinstance(error, DocumentError) else error.message
    return say_exit(error.exit_code, [f"{what}{contacted}"])


_said: list[int] = []


def said_exit() -> bool:
    """Return whether the closing line has been printed."""
    return bool(_said)


def say_exit(code: int, reasons: list[str] | tuple[str, ...]) -> int:
    """Print the last line, `exit CODE: why`, and return the code."""
    _said.append(code)
    text = "; ".join(escape(reason) for reason in reasons)
    level: log.Level = "error" if code in _FAILURES else "info"
    log.say("exit", text if log.is_json() else f"exit {code}: {text}", level, code=code, reasons=list(reasons))
    return code


def _report_defect(error: Exception) -> int:
    if os.environ.get("NETAUDIT_TRACEBACK"):
        traceback.print_exception(error, file=sys.stderr)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119 - a name for display, no path is touched
    text = f"internal error: {type(error).__name__} at {place}: {escape(str(error), 500)}"
    hint = "this is a defect in netaudit; NETAUDIT_TRACEBACK=1 shows where it happened"
    log.say("error", text if log.is_json() else f"{text}\n  hint: {hint}", "error", hint=hint)
    return say_exit(5, ["internal error"])
