"""Hosts and policies by chance: few ports and addresses, so that lines and listeners meet often."""

from ipaddress import ip_address

from hypothesis import strategies as st

from auditor.model.address import classify_scope, family_of
from auditor.model.facts import Coverage, Gap, HostFacts, Listener
from auditor.model.policy import Entry, Policy
from tests.builders import a_policy, an_entry, some_facts

PORTS = [
    "22/tcp",
    "23/tcp",
    "22-24/tcp",
    "443/tcp4",
    "443/tcp6",
    "443/tcp",
    "53/udp",
    "40000/udp",
    "1-65535/tcp",
    "1/raw",
]
BINDS = ["any", "wildcard", "loopback", "private,link-local", "10.0.0.0/8", "::/0", "0.0.0.0/0", "127.0.0.0/8,::1/128"]
ADDRESSES = ["0.0.0.0", "::", "127.0.0.1", "::1", "10.0.0.5", "fd00::5", "203.0.113.5", "fe80::9", "224.0.0.1"]
NAMES = st.sampled_from(["https", "telnet", "ssh", None])
TEXT = st.text(max_size=8)


@st.composite
def listeners(draw: st.DrawFn) -> Listener:
    """Return what a parser could give, and now and then an address that is none."""
    text = draw(st.sampled_from(ADDRESSES))
    address = ip_address(text)
    return Listener(
        proto=draw(st.sampled_from(["tcp", "tcp", "udp", "udplite", "raw", "packet"])),
        family=draw(st.sampled_from([family_of(address), None])),
        address=draw(st.one_of(st.just(text), st.just(text), st.just(text), TEXT)),
        port=draw(st.sampled_from([1, 22, 23, 53, 443, 9100, 40000])),
        scope=classify_scope(address),
        service=draw(st.one_of(st.none(), TEXT)),
        kind=draw(st.sampled_from(["listener", "listener", "ephemeral-udp"])),
        dual_stack=draw(st.sampled_from(["yes", "no", "unknown", None])),
        netns=draw(st.sampled_from(["host", "host", "4026532281"])),
        raw="row",
    )


def _identity(listener: Listener) -> tuple[str, str, str, int]:
    """Return what is unique among a host's listeners."""
    return listener.netns, listener.proto, listener.address, listener.port


@st.composite
def facts(draw: st.DrawFn) -> HostFacts:
    sources = st.sampled_from(["tcp", "tcp6", "udp", "services", "stream"])
    return some_facts(
        *draw(st.lists(listeners(), max_size=6, unique_by=_identity)),
        gaps=tuple(Gap(source=source, reason="cut off") for source in draw(st.lists(sources, max_size=2))),
        coverage=tuple(Coverage(source=source, status="ok") for source in draw(st.sets(sources))),
        services=draw(st.dictionaries(st.sampled_from(["443/tcp", "4444/tcp", "x/tcp", "", "²/tcp"]), TEXT, max_size=3))
        | draw(st.sampled_from([{}, {"4444/tcp": "https"}, {"24/tcp": "telnet"}])),
    )


@st.composite
def entries(draw: st.DrawFn, action: str | None = None, bind: str | None = None) -> Entry:
    return an_entry(
        draw(st.sampled_from(["a", "b", "c"])),
        *draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=3)),
        action=action or draw(st.sampled_from(["allow", "allow", "deny"])),
        bind=bind or draw(st.sampled_from(BINDS)),
        severity=draw(st.sampled_from(["critical", "medium", "info", None])),
        required=draw(st.booleans()),
        service=draw(NAMES),
    )


@st.composite
def policies(draw: st.DrawFn, name: str = "base") -> Policy:
    defaults = st.sampled_from(["deny", "warn", "ignore"])
    return a_policy(
        *draw(st.lists(entries(), max_size=4)),
        name=name,
        default=draw(defaults),
        ephemeral_udp=draw(defaults),
        severity=draw(st.sampled_from(["critical", "high", "low"])),
    )


policy_lists = st.integers(0, 3).flatmap(
    lambda size: st.tuples(*(policies(f"policy-{index}") for index in range(size)))
)
