"""The bounds of a policy file in, those of the model out."""

from collections.abc import Iterator

from auditor.document import Document, Loc
from auditor.model.policy import TCP_STATES, Bound, TcpState
from auditor.policies.file import BoundFile, PolicyFile


def read_bounds(document: Document, file: PolicyFile) -> Iterator[Bound]:
    """Yield the bounds on states in their order, then the one on accept queues."""
    for state in TCP_STATES:
        written: BoundFile | None = getattr(file.states, state, None)
        if written is not None:
            yield _bound(document, file, ("states", state), written, state)
    if file.accept_queue is not None:
        yield _bound(document, file, ("accept_queue",), file.accept_queue, None)


def _bound(document: Document, file: PolicyFile, loc: Loc, written: BoundFile, state: TcpState | None) -> Bound:
    return Bound(
        policy=file.policy,
        state=state,
        most=written.max,
        severity=written.severity,
        reason=written.reason or "",
        remediation=written.remediation or "",
        origin=document.origin(loc),
    )
