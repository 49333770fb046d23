"""`forbidden-listener`: a listener on an address that a deny line names, whatever any allow line says."""

from collections.abc import Sequence

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome, worst_line
from auditor.evaluate.wording import list_controls, name_binds, name_listeners, name_port
from auditor.model.finding import Finding
from auditor.model.value import trusted

_make_finding = trusted(Finding)


def describe(identity: Identity, twins: Sequence[Outcome]) -> Finding:
    listeners = [twin.listener for twin in twins]
    line = worst_line([line for twin in twins for line in twin.lines])
    entry = line.entry
    what = f"{entry.service} ({name_port(listeners[0])})" if entry.service else name_port(listeners[0])
    where = f" on {name_binds(entry)}" if entry.bind else ""
    why = f": {entry.reason}" if entry.reason else ""
    return _make_finding(
        id=fingerprint(identity),
        rule="forbidden-listener",
        severity=line.severity,
        subject=name_listeners(listeners),
        message=f"{line.policy.name} forbids {what}{where}{why}",
        remediation=entry.remediation or "Stop and disable the service that listens there.",
        controls=list_controls(line),
        origin=entry.origin,
    )
