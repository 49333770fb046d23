"""Hosts and policies by chance: few ports and addresses, so that lines and listeners meet often."""

from datetime import date
from ipaddress import ip_address
from typing import get_args

from hypothesis import strategies as st

from auditor.model.address import classify_scope, family_of
from auditor.model.facts import Coverage, Gap, HostFacts, Listener, Owner, OwnerStatus
from auditor.model.policy import OWNER_CLASSES, WAIVABLE_RULES, Entry, OwnerCondition, Policy, Waiver
from tests.builders import a_policy, a_waiver, an_entry, some_facts

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
COMMS = st.sampled_from(["nginx", "nc", "systemd"])
OWNERS = st.builds(
    Owner,
    pid=st.sampled_from([1, 812, 4711]),
    comm=st.one_of(COMMS, st.none(), TEXT),
    exe=st.sampled_from(["/usr/sbin/nginx", "/usr/bin/docker-proxy", None]),
    unit=st.sampled_from(["nginx.service", None]),
    container=st.sampled_from(["3f2a", None]),
)
CONDITIONS = st.builds(
    OwnerCondition,
    process=st.sampled_from([(), (), ("nginx",), ("n*", "systemd"), ("*",)]),
    exe=st.sampled_from([(), (), ("/usr/sbin/*",)]),
    user=st.sampled_from([(), (), ("root",), ("33", "eve")]),
    unit=st.sampled_from([(), (), ("nginx.service",)]),
    container=st.sampled_from([(), (), ("3f*",)]),
    classes=st.sampled_from([(), (), *((name,) for name in OWNER_CLASSES)]),
)
NETNS = st.sampled_from(["host", "host", "containers", "any"])


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
        sockets=draw(st.sampled_from([1, 4])),
        uid=draw(st.sampled_from([0, 33, None])),
        user=draw(st.sampled_from(["www-data", "eve", None])),
        owner_status=draw(st.sampled_from(["known", "known", *get_args(OwnerStatus)])),
        owners=tuple(draw(st.lists(OWNERS, max_size=2))),
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
        at_least=draw(st.sampled_from([1, 4])),
        owner=draw(st.one_of(st.none(), st.none(), CONDITIONS)),
        netns=draw(NETNS),
        service=draw(NAMES),
    )


@st.composite
def waivers(draw: st.DrawFn) -> Waiver:
    """Return a waiver that, at the tests' NOW, holds or has ended."""
    return a_waiver(
        draw(st.sampled_from(["v", "w"])),
        *draw(st.lists(st.sampled_from(PORTS), max_size=2)),
        rule=draw(st.sampled_from(WAIVABLE_RULES)),
        bind=draw(st.sampled_from(BINDS)),
        hosts=draw(st.sampled_from([("*",), ("web-01",), ("db-*",)])),
        held_by=draw(st.one_of(st.none(), CONDITIONS)),
        netns=draw(NETNS),
        expires=draw(st.sampled_from([date(2026, 12, 31), date(2026, 1, 1)])),
    )


@st.composite
def policies(draw: st.DrawFn, name: str = "base") -> Policy:
    defaults = st.sampled_from(["deny", "warn", "ignore"])
    return a_policy(
        *draw(st.lists(entries(), max_size=4)),
        name=name,
        default=draw(defaults),
        ephemeral_udp=draw(defaults),
        raw_sockets=draw(defaults),
        waivers=tuple(draw(st.lists(waivers(), max_size=2))),
        severity=draw(st.sampled_from(["critical", "high", "low"])),
    )


policy_lists = st.integers(0, 3).flatmap(
    lambda size: st.tuples(*(policies(f"policy-{index}") for index in range(size)))
)
