"""A host and the hosts it jumps through, in; the hosts to connect to one after the other, out."""

from collections.abc import Mapping

from auditor.display import escape
from auditor.errors import TransportError
from auditor.model.host import Host

MOST_HOPS = 8


def expand_route(host: Host, jump_hosts: Mapping[str, Host]) -> tuple[Host, ...]:
    """Return the hosts to connect to, in order, `host` last.

    As with `ssh -J a,b`: `b` is reached through `a` whatever its own `jump` says, `a` as its own `jump` says.
    Raises TransportError (tcp): an unknown jump host, one that is not reached by ssh, or a loop.
    """
    route = [host]
    pending = host.jump
    while pending:
        hops = [_find(name, jump_hosts) for name in pending]
        route = hops + route
        names = [stop.name for stop in route]
        if len(set(names)) < len(names) or len(names) > MOST_HOPS:
            way = " > ".join(names)
            raise TransportError("tcp", "jump-failed", f"the jump hosts form a loop or too long a chain: {way}")
        pending = hops[0].jump
    return tuple(route)


def _find(name: str, jump_hosts: Mapping[str, Host]) -> Host:
    hop = jump_hosts.get(name)
    if hop is not None and hop.connection == "ssh":
        return hop
    what = "is not in the inventory" if hop is None else f"has connection {hop.connection}"
    hint = "list it under hosts, with the default connection ssh"
    raise TransportError("tcp", "jump-failed", f"the jump host {escape(name)} {what}", hint)
