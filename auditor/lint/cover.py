"""Two entries, or two sets of binds, in; whether the one holds all that the other does, out."""

from collections.abc import Sequence
from ipaddress import ip_network

from auditor.model.address import Network, classify_scope, unmap
from auditor.model.policy import Bind, Entry, Ports


def covers(wide: Entry, narrow: Entry) -> bool:
    """Return whether `wide` names every port, address, owner and namespace that `narrow` does."""
    same_netns = wide.netns in ("any", narrow.netns)
    same_owner = wide.owner is None or wide.owner == narrow.owner
    ports = all(_covers_ports(wide.ports, one) for one in narrow.ports)
    return same_netns and same_owner and ports and covers_binds(wide.bind, narrow.bind)


def _covers_ports(wide: Sequence[Ports], narrow: Ports) -> bool:
    return any(
        one.proto == narrow.proto
        and one.first <= narrow.first
        and narrow.last <= one.last
        and one.family in (None, narrow.family)
        for one in wide
    )


def covers_binds(wide: Sequence[Bind], narrow: Sequence[Bind]) -> bool:
    """Return whether every address of `narrow` is one of `wide`; no bind at all is any address."""
    if not wide:
        return True
    return bool(narrow) and all(any(_holds(one, inner) for one in wide) for inner in narrow)


def _holds(wide: Bind, narrow: Bind) -> bool:
    if wide == narrow:
        return True
    if narrow.kind == "scope":
        return False
    inner = ip_network(narrow.network)
    if wide.kind == "scope":
        return {classify_scope(unmap(inner[0])), classify_scope(unmap(inner[-1]))} == {wide.scope}
    return _contains(ip_network(wide.network), inner)


def _contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and int(outer[0]) <= int(inner[0]) and int(inner[-1]) <= int(outer[-1])
