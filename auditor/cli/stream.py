"""`-o jsonl=-`: a line for each host on standard output as it finishes."""

from collections.abc import Sequence

from auditor.cli import log
from auditor.cli.outputs import Output
from auditor.cli.stdout import write_stdout
from auditor.model.report import AuditReport, Generator, HostReport, InventoryRef, PolicyRef
from auditor.model.transcript import EvidenceHeader
from auditor.reporters.jsonl import JsonlRun, write_end, write_head, write_host


def name_inventory(header: EvidenceHeader) -> InventoryRef:
    """Return the inventory as a report refers to it."""
    return InventoryRef(path=header.inventory_path, sha256=header.inventory_sha256, hosts=header.inventory_hosts)


class Stream:
    """Writes JSON Lines while a run is at work, when that is what goes to standard output; else does nothing.

    A file gets the same lines at the end, sorted: files are whole, or not there at all.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = [output for output in outputs if output.format == "jsonl" and output.path is None]

    def begin(self, header: EvidenceHeader, policies: tuple[PolicyRef, ...], generator: Generator) -> None:
        self._write(
            write_head(
                JsonlRun(
                    id=header.run_id,
                    started_at=header.started_at,
                    chosen=header.chosen,
                    judged_again=False,
                    inventory=name_inventory(header),
                    policies=policies,
                    host_keys=header.host_keys,
                    operator=header.operator,
                    command=header.command,
                    resumed=header.resumed,
                ),
                generator,
            )
        )

    def add(self, host: HostReport | None) -> None:
        if host is not None and self.outputs:
            self._write(write_host(host))

    def end(self, report: AuditReport) -> None:
        self._write(write_end(report))

    def _write(self, line: bytes) -> None:
        if self.outputs:
            with log.aside():  # both may be the same terminal
                write_stdout(line)
