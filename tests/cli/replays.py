"""A fleet that answers from a file: quick, always the same, and real: its answers are this machine's own."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.collect import build_script
from auditor.model.transcript import Evidence, EvidenceHeader, Transcript
from auditor.transport.evidence import EvidenceWriter, read_evidence
from auditor.transport.local import LocalTransport
from tests.builders import NOW, a_host

POLICY = "version: 1\npolicy: lenient\ndefault: warn\nephemeral_udp: warn\n"


def make_fleet(folder: Path, names: Iterable[str], *absent: str) -> Path:
    """Put an inventory of hosts that are replayed, and a policy, into `folder`; the `absent` are in no evidence."""
    host = a_host("here", connection="local")
    answer = LocalTransport(clock=lambda: datetime.now(UTC)).run(host, build_script("5" * 32, owners=False))
    named = list(names)
    write_evidence(folder / "answers.gz", dict.fromkeys(named, answer), whole=True)
    lines = [f"  {name}: {{connection: replay, evidence: answers.gz, groups: [web]}}\n" for name in (*named, *absent)]
    (folder / "inventory.yaml").write_text(f"version: 1\ngroups: {{web: {{}}}}\nhosts:\n{''.join(lines)}")
    (folder / "policies").mkdir()
    (folder / "policies" / "lenient.yaml").write_text(POLICY)
    return folder


def write_evidence(path: Path, answers: dict[str, Transcript], *, whole: bool, **fields: Any) -> None:
    """Write an evidence file as a run does: to its end, or as far as it came when it was killed."""
    header = EvidenceHeader(
        run_id="earlier", started_at=NOW, inventory_path="inventory.yaml", inventory_sha256="0" * 64
    )
    with EvidenceWriter(path, header) as writer:
        writer.settle()
        for name, answer in answers.items():
            host = a_host(name, connection="replay", evidence="answers.gz", **fields)
            writer.append(Evidence(host=host, outcome=answer, finished_at=NOW))
        if whole:
            writer.finish()


def list_hosts(path: Path, *, ordered: bool = False) -> tuple[list[str], bool]:
    """Return the hosts in an evidence file, in its order or by name, and whether it is marked partial."""
    with read_evidence(path) as opened:
        names = [evidence.host.name for evidence in opened]
        return sorted(names) if ordered else names, opened.partial


def strip_run(path: Path) -> dict[str, Any]:
    """Return a report without what tells one run from another that saw the same."""
    report: dict[str, Any] = json.loads(path.read_text())
    for key in ("id", "started_at", "finished_at", "resumed"):
        del report["run"][key]
    return report
