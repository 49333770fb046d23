"""Every exception netaudit raises on purpose, in one tree.

AuditorError                     message, hint, exit_code
├── UsageError          2        a flag or an argument does not make sense
├── DocumentError       2        a file the user wrote is wrong: all its problems at once
├── EvidenceError       2        saved evidence or a saved report cannot be read
├── NoHostsError        4        the inventory is empty or the limit matched nothing
├── OutputError         5        a result could not be written
└── TransportError               one host could not be reached or read; never ends a run

The command line catches AuditorError in one place; `audit` turns TransportError into a host's `unreachable`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from auditor.display import escape

Phase = Literal["dns", "tcp", "banner", "kex", "hostkey", "auth", "exec", "read"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class AuditorError(Exception):
    """Something the user can act on: `message` says what, `hint` says what to do next ('' when nothing is useful)."""

    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        shown = f"error: {escape(self.message)}"
        return f"{shown}\n  hint: {escape(self.hint)}" if self.hint else shown


class UsageError(AuditorError):
    """A flag, an argument or a setting that does not make sense."""

    exit_code = 2


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One mistake in a file: `line` and `column` count from 1 (0: the whole file); `source` is that line's text.

    A `warning` is something that is allowed and rarely meant; it never stops a run.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source: str = ""
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{escape(self.file)}:{self.line}:{self.column}: " if self.line else f"{escape(self.file)}: "
        rows = [f"{where}{self.level}: {escape(self.message)}"]
        if self.line and self.source:
            shown, caret = _excerpt(self.source, self.column)
            rows += [f"  {shown}", f"  {' ' * caret}^"]
        if self.hint:
            rows.append(f"  hint: {escape(self.hint)}")
        return "\n".join(rows)


def _excerpt(source: str, column: int, width: int = 160) -> tuple[str, int]:
    """Return the escaped source line around `column` and where its caret stands."""
    start = max(0, column - 1 - width // 2) if len(source) > width else 0
    caret = len(escape(source[start : column - 1]))
    return escape(source[start : start + width]), caret


class DocumentError(AuditorError):
    """An inventory, policy or settings file is wrong; carries every problem found, in order of place.

    Warnings may be among them, for what they add; only the others are `to_fix`.
    """

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        self.to_fix = sum(problem.level == "error" for problem in self.problems)
        super().__init__(f"{self.to_fix} problem(s)")

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class EvidenceError(AuditorError):
    """Saved evidence, or a saved report, is missing, cut off or not ours."""

    exit_code = 2


class NoHostsError(AuditorError):
    """Nothing to audit: an empty inventory, or a limit that matched no host."""

    exit_code = 4


class OutputError(AuditorError):
    """A result could not be written."""

    exit_code = 5


class TransportError(AuditorError):
    """A host could not be reached or read.

    `phase` is the step that failed, `code` a stable kebab-case word within it (`hostkey-unknown`, `tcp-refused`).
    """

    def __init__(self, phase: Phase, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.phase: Phase = phase
        self.code = code

    def __reduce__(self) -> tuple[type["TransportError"], tuple[Phase, str, str, str]]:
        """Travel between processes (pickle), where a subclass has nobody left to catch it."""
        return TransportError, (self.phase, self.code, self.message, self.hint)

    def __str__(self) -> str:
        return f"{self.phase}/{self.code}: {escape(self.message)}"
