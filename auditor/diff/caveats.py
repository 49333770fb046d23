"""Two reports in, why they may not compare out: they were not looking at the same things, or not by the same rules."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from auditor.diff.sight import list_reclassified, shows_another_key
from auditor.model.delta import Caveat
from auditor.model.report import AuditReport, HostReport


def doubt_runs(old: AuditReport, new: AuditReport) -> Iterator[Caveat]:
    """Yield what holds for the whole comparison."""
    if old.hosts and new.hosts and not {host.name for host in old.hosts} & {host.name for host in new.hosts}:
        message = "the reports have no host in common: are they of one inventory?"
        yield Caveat(kind="hosts", host=None, message=message)
    if old.run.started_at > new.run.started_at:
        message = f"{old.run.id} began after {new.run.id}: are the two reports the wrong way round?"
        yield Caveat(kind="order", host=None, message=message)
    if old.run.partial != new.run.partial:
        message = f"{(old if old.run.partial else new).run.id} was interrupted: hosts may be missing from it"
        yield Caveat(kind="partial", host=None, message=message)
    changed = {(ref.name, ref.sha256) for ref in old.run.policies} ^ {
        (ref.name, ref.sha256) for ref in new.run.policies
    }
    if changed:
        names = ", ".join(sorted({name for name, _ in changed}))
        message = f"the policies differ ({names}): findings may be new or resolved because a rule changed, not a host"
        yield Caveat(kind="policies", host=None, message=message)


def doubt_host(old: HostReport, new: HostReport) -> Iterator[Caveat]:
    """Yield how what was looked at on one host differs; hosts that were not reached are said elsewhere."""
    if old.facts is None or new.facts is None:
        return
    yield from _doubt_machine(old, new)
    if old.policies != new.policies:
        message = f"not the same policies apply: {_say_difference({*old.policies}, {*new.policies})}"
        yield Caveat(kind="policies", host=new.name, message=message)
    if old.facts.privileged != new.facts.privileged:
        words = ("root", "an unprivileged user") if old.facts.privileged else ("an unprivileged user", "root")
        message = f"read as {words[0]} before and as {words[1]} now: owners and namespaces do not compare"
        yield Caveat(kind="privilege", host=new.name, message=message)
    statuses = [{ledger.source: ledger.status for ledger in host.coverage} for host in (old, new)]
    differing = sorted(
        name for name in statuses[0].keys() | statuses[1].keys() if statuses[0].get(name) != statuses[1].get(name)
    )
    if differing:
        tables = ", ".join(
            f"{name} {statuses[0].get(name, 'not read')} → {statuses[1].get(name, 'not read')}" for name in differing
        )
        yield Caveat(kind="tables", host=new.name, message=f"not the same tables could be read: {tables}")
    sources = [{gap.source for gap in host.gaps} - set(differing) for host in (old, new)]
    if sources[0] != sources[1]:
        message = f"not the same things could not be known: {_say_difference(*sources)}"
        yield Caveat(kind="gaps", host=new.name, message=message)


def _doubt_machine(old: HostReport, new: HostReport) -> Iterator[Caveat]:
    """Yield that a host may be another machine now, or tells clients' UDP sockets from others by other ports."""
    if old.facts is None or new.facts is None:
        return
    if shows_another_key(old, new):
        keys = f"{old.facts.host_key} → {new.facts.host_key}"
        message = (
            f"another SSH key than before ({keys}): nothing is called closed or resolved on what may be another machine"
        )
        yield Caveat(kind="machine", host=new.name, message=message)
    if list_reclassified(old, new):
        ranges = (facts.ephemeral_ports or ("?", "?") for facts in (old.facts, new.facts))
        ports = " → ".join(f"{first}-{last}" for first, last in ranges)
        message = f"UDP sockets that are open in both are not judged alike: ephemeral ports {ports}"
        yield Caveat(kind="ephemeral-ports", host=new.name, message=message)


def _say_difference(before: AbstractSet[str], after: AbstractSet[str]) -> str:
    less, more = sorted(before - after), sorted(after - before)
    parts = [f"no longer: {', '.join(less)}"] if less else []
    parts += [f"now: {', '.join(more)}"] if more else []
    return "; ".join(parts)
