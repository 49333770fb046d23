"""`netaudit schema`: the JSON Schema of what netaudit writes."""

import sys
from importlib.resources import files
from typing import Annotated, Literal

import typer


def schema(
    document: Annotated[Literal["report"], typer.Argument(help="Which document's schema to print.")],
) -> int:
    """Print the JSON Schema of a document."""
    sys.stdout.write(files("auditor.schemas").joinpath(f"{document}.json").read_text(encoding="utf-8"))
    return 0
