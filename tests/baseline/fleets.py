"""Hosts by chance, with listeners such as a parser could give: one row for each place, and who holds it."""

from hypothesis import strategies as st

from auditor.model.facts import HostFacts, Listener, Owner
from auditor.model.host import Host
from tests.builders import a_host, a_listener, some_facts

V4 = ["0.0.0.0", "127.0.0.1", "127.0.0.53", "10.0.0.5", "10.0.0.6", "203.0.113.5", "169.254.0.9", "224.0.0.251"]
V6 = ["::", "::1", "fd00::5", "fe80::9", "2001:db8::5", "ff02::fb"]
PORTS = [22, 53, 443, 444, 445, 3306, 8080, 9100, 30000, 65535]
TABLES = [{}, {"443/tcp": "https"}, {"4444/tcp": "https"}, {"22/tcp": "telnet", "443/udp": "ssh", "x": "y"}]
COMMS = ["nginx", "sshd", "java", "php-fpm8.2", "a b", "*", "true", "", "123", "\u202egnp.exe", None]


@st.composite
def owners(draw: st.DrawFn) -> dict[str, object]:
    status = draw(st.sampled_from(["known", "known", "known", "kernel", "not-collected", "unprivileged"]))
    if status != "known":
        return {"owner_status": status}
    pids = draw(st.lists(st.sampled_from([1, 77, 78, 79]), min_size=1, max_size=4, unique=True))
    held = tuple(Owner(pid=pid, comm=draw(st.sampled_from(COMMS))) for pid in pids)
    return {"owner_status": "known", "owners": held}


@st.composite
def listeners(draw: st.DrawFn) -> Listener:
    proto = draw(st.sampled_from(["tcp", "tcp", "tcp", "udp", "udp", "sctp", "udplite", "raw", "packet"]))
    netns = draw(st.sampled_from(["host", "host", "host", "4026532281"]))
    held = draw(owners())
    if proto == "packet":
        address = draw(st.sampled_from(["*", "if2"]))
        row = {"proto": proto, "family": None, "address": address, "scope": "wildcard", "port": 3, "raw": "row"}
        return Listener.model_validate({**row, "netns": netns, **held})
    address = draw(st.sampled_from([*V4, *V6]))
    port = draw(st.sampled_from([1, 6, 58, 255] if proto == "raw" else PORTS))
    dual = draw(st.sampled_from(["yes", "no", "unknown"])) if address == "::" else None
    kind = draw(st.sampled_from(["listener", "ephemeral-udp"])) if proto == "udp" else "listener"
    return a_listener(address, port, proto=proto, netns=netns, dual_stack=dual, kind=kind, **held)


def place_of(listener: Listener) -> tuple[str, str, str, int]:
    return listener.netns, listener.proto, listener.address, listener.port


@st.composite
def facts(draw: st.DrawFn) -> HostFacts:
    """Return the facts of a host that was read completely."""
    rows = draw(st.lists(listeners(), max_size=8, unique_by=place_of))
    return some_facts(*rows, services=draw(st.sampled_from(TABLES)))


@st.composite
def fleets(draw: st.DrawFn) -> list[tuple[Host, HostFacts]]:
    """Return some hosts in some groups; a few of them have the same facts, as hosts of one role do."""
    models = draw(st.lists(facts(), min_size=1, max_size=3))
    groups = st.lists(st.sampled_from(["web", "db", "prod", "a group/with: words"]), max_size=2, unique=True)
    return [
        (a_host(name, groups=tuple(draw(groups))), draw(st.sampled_from(models)))
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    ]


NAMES = ["web-01", "web-02", "web-03", "db-01", "[2001:db8::1]", "true", "10.0.0.9", "x_y"]


def scope_covers(wide: Listener, narrow: Listener) -> bool:
    """Return whether a baseline that allows `wide` has to allow `narrow` too: the same port, no wider."""
    same = (wide.proto, wide.port) == (narrow.proto, narrow.port)
    return same and (wide.netns == "host") == (narrow.netns == "host") and wide.scope in ("wildcard", narrow.scope)
