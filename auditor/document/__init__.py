"""A file the user wrote in, a checked model and the place of everything in it out; or every mistake at once.

    document = read_document(path)          # bytes → nodes; DocumentError when it is not YAML at all
    model = validate(document, SomeFile)    # nodes → model; DocumentError with every problem

A stage that goes on to check what the words mean calls `salvage` instead of `validate`, adds its own findings with
`document.complain`, and ends with `document.finish`: the user sees all mistakes of a file together.
"""

from auditor.document.document import Document, Loc, Tree, parse_document, read_document
from auditor.document.scalars import Disputed
from auditor.document.validation import salvage, validate
from auditor.document.wording import FileModel, Unset, listed, mistake, suggest

__all__ = [
    "Disputed",
    "Document",
    "FileModel",
    "Loc",
    "Tree",
    "Unset",
    "listed",
    "mistake",
    "parse_document",
    "read_document",
    "salvage",
    "suggest",
    "validate",
]
