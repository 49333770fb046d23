"""Where something the user wrote stands: file, line, column."""

from auditor.model.value import Value


class Origin(Value):
    """A place in a file as the user named it; line and column count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
