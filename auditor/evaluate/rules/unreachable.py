"""`unreachable`: the host could not be read at all."""

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.model.address import join_port
from auditor.model.finding import Finding
from auditor.model.host import Host
from auditor.model.transcript import Failure


def describe(host: Host, failure: Failure) -> Finding:
    """Return the finding of a host that gave nothing to decode."""
    return Finding(
        id=fingerprint(Identity("unreachable", host.name)),
        rule="unreachable",
        severity="high",
        subject=join_port(host.address, host.port),
        message=f"{failure.phase}/{failure.code}: {failure.message}",
        remediation=failure.hint,
        origin=host.origin,
    )
