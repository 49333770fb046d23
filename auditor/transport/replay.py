"""The replay transport: what a host answered in an earlier run is its answer again."""

import threading
import zlib
from pathlib import Path

from auditor.errors import EvidenceError, TransportError
from auditor.model.host import Host
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.transport import Script
from auditor.transport.evidence import read_evidence
from auditor.transport.timeline import step


class ReplayTransport:
    """Serves hosts with `connection: replay` from the evidence files they name; each file is read once per run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, dict[str, bytes] | EvidenceError] = {}

    def run(self, host: Host, script: Script) -> Transcript:  # noqa: ARG002  # the answer is older than the script
        """See `Transport.run`. The transcript keeps the nonce of the script it answered."""
        if host.evidence is None:
            hint = "set `evidence: PATH` for the host"
            raise TransportError("read", "not-in-evidence", f"{host.name} is to be replayed, but from no file", hint)
        with step("read", host) as note:
            packed = self._index(host.evidence).get(host.name)
            note(host.evidence)
        if packed is None:
            raise TransportError(
                "read",
                "not-in-evidence",
                f"{host.name} is not in {host.evidence}",
                "the name must be the one the host had when the evidence was gathered",
            )
        outcome = Evidence.model_validate_json(zlib.decompress(packed)).outcome
        if isinstance(outcome, Failure):
            raise TransportError(outcome.phase, outcome.code, outcome.message, outcome.hint)
        return outcome

    def _index(self, path: str) -> dict[str, bytes]:
        """Return the evidence of a file by host name, packed: a fleet's tables would fill the memory."""
        with self._lock:
            if path not in self._files:
                self._files[path] = _read_index(path)
            index = self._files[path]
        if isinstance(index, EvidenceError):
            raise TransportError("read", "evidence-unreadable", index.message, index.hint)
        return index


def _read_index(path: str) -> dict[str, bytes] | EvidenceError:
    try:
        with read_evidence(Path(path).expanduser()) as evidence:
            return {entry.host.name: zlib.compress(entry.model_dump_json().encode("utf-8"), 1) for entry in evidence}
    except EvidenceError as error:
        return error
