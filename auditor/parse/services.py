"""/etc/services: a section in, its coverage and {"443/tcp": "https"} out. Labels only: they never decide anything."""

from auditor.model.services import ServiceTable
from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table, read_once

MAX_LINES = 100_000  # where probe.sh stops reading


@read_once(size=1 << 20, kept=16)  # most hosts of a fleet have the very same file
def parse_services(section: Section | None) -> tuple[Table, dict[str, str]]:
    """Return the table's coverage and the first name of each port. Never raises.

    A host may well have no such file, or an empty one; one that is denied or cut off is a gap, since a name that means
    another port there would go unseen.
    """
    table = open_table("services", section, optional=True)
    if table.status == "empty":
        table.faults.clear()
    table.rows = table.data.count(b"\n") + (not table.data.endswith(b"\n") and table.data != b"")
    if table.rows >= MAX_LINES:
        table.fail("truncated", f"/etc/services has more than {MAX_LINES} lines; the rest was not read")
    return table, ServiceTable.parse(table.data.decode("utf-8", "backslashreplace"), MAX_LINES).labels()
