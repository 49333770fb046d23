"""`netaudit schema`: the JSON Schema of what netaudit writes, and of the files it reads."""

from typing import Annotated, Literal

import typer

from auditor.cli.stdout import write_stdout

Document = Literal["report", "policy", "inventory", "cases"]


def schema(
    document: Annotated[Document, typer.Argument(help="Which document's schema to print.")],
) -> int:
    """Print the JSON Schema of a document: of report.json, or of a file you write, for your editor."""
    write_stdout(read_schema(document).encode())
    return 0


def read_schema(document: Document) -> str:
    """Return a published schema."""
    from importlib.resources import files

    return files("auditor.schemas").joinpath(f"{document}.json").read_text(encoding="utf-8")
