"""A policy set, and perhaps the hosts of an inventory, in; every warning, in order of place, out."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from auditor.errors import Problem
from auditor.lint.cover import covers
from auditor.lint.names import check_names
from auditor.lint.place import Places
from auditor.model.host import Host
from auditor.model.policy import BindNetwork, Entry, Policy, PolicySet, severity_rank

CODES = (
    "allows-everything",
    "bind-missing",
    "wide-range",
    "never-matches",
    "deny-shadowed",
    "allow-denied",
    "unknown-group",
    "unknown-label",
    "unknown-host",
)
"""Every warning, by the word in brackets at its end."""

MOST_PORTS = 1000
_ALL = 65535
_WHERE = ("port", "ports", "service")
_MANAGEMENT = {
    22: "SSH",
    161: "SNMP",
    623: "IPMI",
    2375: "the Docker API",
    2376: "the Docker API",
    2379: "etcd",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    6379: "Redis",
    6443: "the Kubernetes API",
    8500: "Consul",
    9200: "Elasticsearch",
    10000: "Webmin",
    10250: "the kubelet",
    11211: "memcached",
    27017: "MongoDB",
}
"""Ports through which a host or its data is governed: who opens them everywhere should have meant it."""


def lint_policies(policies: PolicySet, hosts: Sequence[Host] | None = None) -> list[Problem]:
    """Return every warning; with `hosts` also about names that no host of the inventory has.

    Reads the policies' files again for the columns. Raises DocumentError when one of them has gone.
    """
    places = Places(policies)
    found: set[Problem] = set()
    for policy in policies.policies:
        found.update(_check_policy(policy, places))
        found.update(_check_shadows(policy, policies.policies, places))
        found.update(check_names(policy, hosts, places) if hosts is not None else ())
    return sorted(found)


def _check_policy(policy: Policy, places: Places) -> Iterator[Problem]:
    if policy.default == "ignore":
        message = f"{policy.name} has default: ignore, so whatever it does not list may listen [allows-everything]"
        yield places.at(policy.origin.file, ("default",), message, "write deny, or warn for a time")
    for entry in policy.allow:
        for check in _ENTRY_CHECKS:
            yield from check(entry, places)
    for entry in (*policy.allow, *policy.deny):
        yield from _check_families(entry, places)


def _find_everything(entry: Entry) -> str | None:
    """Return the protocol of which an entry allows everything, if there is one."""
    wide = [ports.proto for ports in entry.ports if ports.first <= 1 and ports.last == _ALL]
    return wide[0] if wide and not entry.bind and entry.owner is None else None


def _check_everything(entry: Entry, places: Places) -> Iterable[Problem]:
    if proto := _find_everything(entry):
        message = f"{entry.id} allows every port of {proto} at any address [allows-everything]"
        yield places.at_entry(entry, _WHERE, message, "name the ports that are needed, or say `bind` or `process`")


def _check_range(entry: Entry, places: Places) -> Iterable[Problem]:
    for ports in entry.ports:
        many = ports.last - ports.first + 1
        if many > MOST_PORTS and not _find_everything(entry):
            message = f"{entry.id} allows {many:,} ports ({ports}) [wide-range]"
            yield places.at_entry(entry, _WHERE, message, f"name the ports that are needed, {MOST_PORTS:,} at most")


def _check_bind(entry: Entry, places: Places) -> Iterable[Problem]:
    named = sorted({number for ports in entry.ports for number in _MANAGEMENT if ports.first <= number <= ports.last})
    if named and not places.says(entry, "bind") and not _find_everything(entry):
        what = f"{named[0]} ({_MANAGEMENT[named[0]]})"
        message = f"{entry.id} opens {what} at every address of the host [bind-missing]"
        yield places.at_entry(entry, _WHERE, message, "say where: `bind: private`; or `bind: any` when that is meant")


def _check_families(entry: Entry, places: Places) -> Iterable[Problem]:
    """Yield a warning when addresses in `bind` are of a family that no port of the entry is for."""
    families = {ports.family for ports in entry.ports}
    if len(families) != 1 or None in families:
        return
    other, digit = ("IPv6", "6") if families == {"ipv4"} else ("IPv4", "4")
    idle = [bind for bind in entry.bind if bind.kind == "network" and (":" in bind.network) == (digit == "6")]
    if idle:
        named = ", ".join(map(_name_network, idle))
        nothing = (
            f"{entry.id} matches nothing" if len(idle) == len(entry.bind) else f"{named} adds nothing to {entry.id}"
        )
        whose = "is" if len(entry.ports) == 1 else "are"
        message = f"{nothing}: {', '.join(map(str, entry.ports))} {whose} not for {other} [never-matches]"
        hint = f"write {entry.ports[0].proto} without a family, or {entry.ports[0].proto}{digit}; or another bind"
        yield places.at_entry(entry, ("bind",), message, hint)


def _name_network(bind: BindNetwork) -> str:
    return bind.network.removesuffix("/128" if ":" in bind.network else "/32")


_ENTRY_CHECKS: tuple[Callable[[Entry, Places], Iterable[Problem]], ...] = (
    _check_everything,
    _check_range,
    _check_bind,
)


def _check_shadows(policy: Policy, policies: Sequence[Policy], places: Places) -> Iterator[Problem]:
    """Yield the entries that a deny of this policy, or of one that holds on all its hosts, leaves nothing to do."""
    above = [(each, entry) for each in policies if _holds_wherever(each, policy) for entry in each.deny]
    for entry in policy.deny:
        wide = next((other for holder, other in above if _shadows(holder, other, policy, entry)), None)
        if wide is not None:
            message = f"{entry.id} denies nothing that {wide.id} ({wide.origin}) does not [deny-shadowed]"
            yield places.at_entry(entry, _WHERE, message, "remove one of the two, or narrow it")
    for entry in policy.allow:
        wide = next((other for _, other in above if covers(other, entry)), None)
        if wide is not None:
            message = f"{entry.id} allows nothing: {wide.id} ({wide.origin}) denies it all [allow-denied]"
            yield places.at_entry(entry, _WHERE, message, "remove it, or narrow the deny; a deny always wins")


def _holds_wherever(outer: Policy, inner: Policy) -> bool:
    """Return whether `outer` applies to every host that `inner` applies to, as far as can be said without hosts."""
    everywhere = outer.applies_to is None and outer.excluded is None
    return everywhere or (outer.applies_to == inner.applies_to and outer.excluded == inner.excluded)


def _shadows(holder: Policy, wide: Entry, policy: Policy, entry: Entry) -> bool:
    """Return whether `wide` does all that `entry` does, at least as severely; of two that are alike, the first does."""
    if wide.origin == entry.origin or not covers(wide, entry):
        return False
    severity = severity_rank(entry.severity or policy.severity)
    other = severity_rank(wide.severity or holder.severity)
    if severity != other or not covers(entry, wide):
        return severity <= other
    return (wide.origin.file, wide.origin.line) < (entry.origin.file, entry.origin.line)
