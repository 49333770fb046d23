"""Where the user wrote something, as code hosts want it: a path from the root of the repository, and a line."""

from posixpath import isabs, normpath
from typing import NamedTuple
from urllib.parse import quote

from auditor.display import escape
from auditor.model.origin import Origin
from auditor.model.report import AuditReport


class Place(NamedTuple):
    """A file and a line and column of it, which count from 1."""

    path: str
    line: int
    column: int

    @property
    def uri(self) -> str:
        """The path as a URI reference (RFC 3986 §4.1): relative, or `file://` for an absolute path."""
        encoded = quote(self.path.encode(errors="surrogatepass"), safe="/")
        return f"file://{encoded}" if isabs(self.path) else encoded


def locate(origin: Origin | None, report: AuditReport) -> Place:
    """Return the place to show; without an origin the first line of the inventory.

    The path is as the user named it, tidied: run from the root of the repository, it is what code hosts expect.
    """
    path = (origin.file if origin else "") or report.run.inventory.path or "inventory"
    line, column = (max(1, origin.line), max(1, origin.column)) if origin else (1, 1)
    return Place(normpath(escape(path)), line, column)
