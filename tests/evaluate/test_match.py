"""What satisfies a policy line: the whole table, worked out by hand from what the kernel accepts on each address.

Columns are listeners on port 443. `4`/`6` is the family of the row; then the bind address:

    4*   0.0.0.0        every IPv4 address        6*+  ::            every IPv6 address, and IPv4 too (dual stack)
    4lo  127.0.0.53     loopback                  6*?  ::            the same, IPv4 not known: held to take it
    4pr  10.0.0.5       private                   6*-  ::            every IPv6 address, no IPv4 (IPV6_V6ONLY)
    4ll  169.254.0.9    link-local                6lo  ::1           loopback
    4mc  239.0.0.1      multicast                 6pr  fd00::5       private
    4gl  203.0.113.5    global                    6ll  fe80::9       link-local
                                                  6mc  ff02::1       multicast
                                                  6gl  2001:db8::5   global

Rows are lines: `443/tcp` is for both families, `443/tcp4` and `443/tcp6` pin one.
"""

from itertools import product

import pytest

from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import accept, reach_of, ready_line, touch
from auditor.model.facts import Listener
from auditor.model.policy import Ports
from tests.builders import a_listener, a_policy, an_entry
from tests.evaluate.tables import name_rows, read_table

LISTENERS = {
    "4*": a_listener("0.0.0.0", 443),
    "4lo": a_listener("127.0.0.53", 443),
    "4pr": a_listener("10.0.0.5", 443),
    "4ll": a_listener("169.254.0.9", 443),
    "4mc": a_listener("239.0.0.1", 443),
    "4gl": a_listener("203.0.113.5", 443),
    "6*+": a_listener("::", 443, dual_stack="yes"),
    "6*?": a_listener("::", 443, dual_stack="unknown"),
    "6*-": a_listener("::", 443, dual_stack="no"),
    "6lo": a_listener("::1", 443),
    "6pr": a_listener("fd00::5", 443),
    "6ll": a_listener("fe80::9", 443),
    "6mc": a_listener("ff02::1", 443),
    "6gl": a_listener("2001:db8::5", 443),
}

ALLOW = """
An allow line accepts a listener when every address the listener takes lies in it.
A: accepted.  E: the port is named, but not all the addresses (exposed-listener).  `.`: the line is not about it.

port     bind               4*  4lo 4pr 4ll 4mc 4gl 6*+ 6*? 6*- 6lo 6pr 6ll 6mc 6gl
443/tcp  any                A   A   A   A   A   A   A   A   A   A   A   A   A   A
443/tcp  wildcard           A   E   E   E   E   E   A   A   A   E   E   E   E   E
443/tcp  loopback           E   A   E   E   E   E   E   E   E   A   E   E   E   E
443/tcp  private            E   E   A   E   E   E   E   E   E   E   A   E   E   E
443/tcp  link-local         E   E   E   A   E   E   E   E   E   E   E   A   E   E
443/tcp  multicast          E   E   E   E   A   E   E   E   E   E   E   E   A   E
443/tcp  global             E   E   E   E   E   A   E   E   E   E   E   E   E   A
443/tcp  10.0.0.0/8         E   E   A   E   E   E   E   E   E   E   E   E   E   E
443/tcp  127.0.0.53/32      E   A   E   E   E   E   E   E   E   E   E   E   E   E
443/tcp  fd00::/8           E   E   E   E   E   E   E   E   E   E   A   E   E   E
443/tcp  0.0.0.0/0          A   A   A   A   A   A   E   E   E   E   E   E   E   E
443/tcp  ::/0               E   E   E   E   E   E   E   E   A   A   A   A   A   A
443/tcp  0.0.0.0/0,::/0     A   A   A   A   A   A   A   A   A   A   A   A   A   A
443/tcp  loopback,private   E   A   A   E   E   E   E   E   E   A   A   E   E   E
443/tcp  wildcard,loopback  A   A   E   E   E   E   A   A   A   A   E   E   E   E
443/tcp4 any                A   A   A   A   A   A   E   E   .   .   .   .   .   .
443/tcp4 wildcard           A   E   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 loopback           E   A   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 private            E   E   A   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 link-local         E   E   E   A   E   E   E   E   .   .   .   .   .   .
443/tcp4 multicast          E   E   E   E   A   E   E   E   .   .   .   .   .   .
443/tcp4 global             E   E   E   E   E   A   E   E   .   .   .   .   .   .
443/tcp4 10.0.0.0/8         E   E   A   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 127.0.0.53/32      E   A   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 fd00::/8           E   E   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 0.0.0.0/0          A   A   A   A   A   A   E   E   .   .   .   .   .   .
443/tcp4 ::/0               E   E   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 0.0.0.0/0,::/0     A   A   A   A   A   A   E   E   .   .   .   .   .   .
443/tcp4 loopback,private   E   A   A   E   E   E   E   E   .   .   .   .   .   .
443/tcp4 wildcard,loopback  A   A   E   E   E   E   E   E   .   .   .   .   .   .
443/tcp6 any                .   .   .   .   .   .   E   E   A   A   A   A   A   A
443/tcp6 wildcard           .   .   .   .   .   .   E   E   A   E   E   E   E   E
443/tcp6 loopback           .   .   .   .   .   .   E   E   E   A   E   E   E   E
443/tcp6 private            .   .   .   .   .   .   E   E   E   E   A   E   E   E
443/tcp6 link-local         .   .   .   .   .   .   E   E   E   E   E   A   E   E
443/tcp6 multicast          .   .   .   .   .   .   E   E   E   E   E   E   A   E
443/tcp6 global             .   .   .   .   .   .   E   E   E   E   E   E   E   A
443/tcp6 10.0.0.0/8         .   .   .   .   .   .   E   E   E   E   E   E   E   E
443/tcp6 127.0.0.53/32      .   .   .   .   .   .   E   E   E   E   E   E   E   E
443/tcp6 fd00::/8           .   .   .   .   .   .   E   E   E   E   A   E   E   E
443/tcp6 0.0.0.0/0          .   .   .   .   .   .   E   E   E   E   E   E   E   E
443/tcp6 ::/0               .   .   .   .   .   .   E   E   A   A   A   A   A   A
443/tcp6 0.0.0.0/0,::/0     .   .   .   .   .   .   E   E   A   A   A   A   A   A
443/tcp6 loopback,private   .   .   .   .   .   .   E   E   E   A   A   E   E   E
443/tcp6 wildcard,loopback  .   .   .   .   .   .   E   E   A   A   E   E   E   E
"""

DENY = """
A deny line hits a listener when they have any address in common; a wildcard has every address of its families.
D: denied.  `.`: not hit.

port     bind               4*  4lo 4pr 4ll 4mc 4gl 6*+ 6*? 6*- 6lo 6pr 6ll 6mc 6gl
443/tcp  any                D   D   D   D   D   D   D   D   D   D   D   D   D   D
443/tcp  wildcard           D   .   .   .   .   .   D   D   D   .   .   .   .   .
443/tcp  loopback           D   D   .   .   .   .   D   D   D   D   .   .   .   .
443/tcp  private            D   .   D   .   .   .   D   D   D   .   D   .   .   .
443/tcp  link-local         D   .   .   D   .   .   D   D   D   .   .   D   .   .
443/tcp  multicast          D   .   .   .   D   .   D   D   D   .   .   .   D   .
443/tcp  global             D   .   .   .   .   D   D   D   D   .   .   .   .   D
443/tcp  10.0.0.0/8         D   .   D   .   .   .   D   D   .   .   .   .   .   .
443/tcp  127.0.0.53/32      D   D   .   .   .   .   D   D   .   .   .   .   .   .
443/tcp  fd00::/8           .   .   .   .   .   .   D   D   D   .   D   .   .   .
443/tcp  0.0.0.0/0          D   D   D   D   D   D   D   D   .   .   .   .   .   .
443/tcp  ::/0               .   .   .   .   .   .   D   D   D   D   D   D   D   D
443/tcp  0.0.0.0/0,::/0     D   D   D   D   D   D   D   D   D   D   D   D   D   D
443/tcp  loopback,private   D   D   D   .   .   .   D   D   D   D   D   .   .   .
443/tcp  wildcard,loopback  D   D   .   .   .   .   D   D   D   D   .   .   .   .
443/tcp4 any                D   D   D   D   D   D   D   D   .   .   .   .   .   .
443/tcp4 wildcard           D   .   .   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 loopback           D   D   .   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 private            D   .   D   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 link-local         D   .   .   D   .   .   D   D   .   .   .   .   .   .
443/tcp4 multicast          D   .   .   .   D   .   D   D   .   .   .   .   .   .
443/tcp4 global             D   .   .   .   .   D   D   D   .   .   .   .   .   .
443/tcp4 10.0.0.0/8         D   .   D   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 127.0.0.53/32      D   D   .   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 fd00::/8           .   .   .   .   .   .   .   .   .   .   .   .   .   .
443/tcp4 0.0.0.0/0          D   D   D   D   D   D   D   D   .   .   .   .   .   .
443/tcp4 ::/0               .   .   .   .   .   .   .   .   .   .   .   .   .   .
443/tcp4 0.0.0.0/0,::/0     D   D   D   D   D   D   D   D   .   .   .   .   .   .
443/tcp4 loopback,private   D   D   D   .   .   .   D   D   .   .   .   .   .   .
443/tcp4 wildcard,loopback  D   D   .   .   .   .   D   D   .   .   .   .   .   .
443/tcp6 any                .   .   .   .   .   .   D   D   D   D   D   D   D   D
443/tcp6 wildcard           .   .   .   .   .   .   D   D   D   .   .   .   .   .
443/tcp6 loopback           .   .   .   .   .   .   D   D   D   D   .   .   .   .
443/tcp6 private            .   .   .   .   .   .   D   D   D   .   D   .   .   .
443/tcp6 link-local         .   .   .   .   .   .   D   D   D   .   .   D   .   .
443/tcp6 multicast          .   .   .   .   .   .   D   D   D   .   .   .   D   .
443/tcp6 global             .   .   .   .   .   .   D   D   D   .   .   .   .   D
443/tcp6 10.0.0.0/8         .   .   .   .   .   .   .   .   .   .   .   .   .   .
443/tcp6 127.0.0.53/32      .   .   .   .   .   .   .   .   .   .   .   .   .   .
443/tcp6 fd00::/8           .   .   .   .   .   .   D   D   D   .   D   .   .   .
443/tcp6 0.0.0.0/0          .   .   .   .   .   .   .   .   .   .   .   .   .   .
443/tcp6 ::/0               .   .   .   .   .   .   D   D   D   D   D   D   D   D
443/tcp6 0.0.0.0/0,::/0     .   .   .   .   .   .   D   D   D   D   D   D   D   D
443/tcp6 loopback,private   .   .   .   .   .   .   D   D   D   D   D   .   .   .
443/tcp6 wildcard,loopback  .   .   .   .   .   .   D   D   D   D   .   .   .   .
"""


def cells_for(port: str, bind: str, action: str) -> dict[str, str]:
    index = PortIndex([ready_line(an_entry("line", port, action=action, bind=bind), a_policy())])
    return {name: cell(index, listener, action) for name, listener in LISTENERS.items()}


def cell(index: PortIndex, listener: Listener, action: str) -> str:
    [candidate] = index.at(listener.proto, listener.port)
    if action == "deny":
        return {"yes": "D", "no": "."}[touch(candidate, reach_of(listener)).hit]
    return {"whole": "A", "part": "E", "none": "."}[accept(candidate, reach_of(listener)).fit]


@pytest.mark.parametrize(("line", "expected"), name_rows(ALLOW, 2))
def test_what_an_allow_line_accepts(line: tuple[str, str], expected: dict[str, str]) -> None:
    assert cells_for(*line, "allow") == expected


@pytest.mark.parametrize(("line", "expected"), name_rows(DENY, 2))
def test_what_a_deny_line_hits(line: tuple[str, str], expected: dict[str, str]) -> None:
    assert cells_for(*line, "deny") == expected


def test_the_tables_leave_nothing_out() -> None:
    binds = {bind for (_, bind), _ in read_table(ALLOW, 2)}
    every = set(product(("443/tcp", "443/tcp4", "443/tcp6"), binds))
    assert {(port, bind) for (port, bind), _ in read_table(ALLOW, 2)} == every
    assert {(port, bind) for (port, bind), _ in read_table(DENY, 2)} == every
    assert all(list(cells) == list(LISTENERS) for table in (ALLOW, DENY) for _, cells in read_table(table, 2))


@pytest.mark.parametrize(
    ("ports", "listener", "fit"),
    [
        # Both families pinned, one beside the other, are both families.
        (["443/tcp4", "443/tcp6"], "6*+", "whole"),
        (["443/tcp4", "443-444/tcp6"], "6*?", "whole"),
        (["443/tcp4", "443/tcp6"], "4lo", "whole"),
        # A pin on another port does not help.
        (["443/tcp6", "444/tcp4"], "6*+", "part"),
    ],
)
def test_pins_of_one_line_add_up(ports: list[str], listener: str, fit: str) -> None:
    index = PortIndex([ready_line(an_entry("line", *ports), a_policy())])
    [candidate] = index.at("tcp", 443)
    assert accept(candidate, reach_of(LISTENERS[listener])).fit == fit


@pytest.mark.parametrize(
    ("port", "proto", "number", "found"),
    [
        # Numbers, never text: 25 is not the beginning of 25565.
        ("25/tcp", "tcp", 25565, False),
        ("25/tcp", "tcp", 2, False),
        ("25/tcp", "tcp", 25, True),
        ("25/tcp", "udp", 25, False),
        ("53/udp", "udplite", 53, False),
        ("8000-8100/tcp", "tcp", 7999, False),
        ("8000-8100/tcp", "tcp", 8000, True),
        ("8000-8100/tcp", "tcp", 8100, True),
        ("8000-8100/tcp", "tcp", 8101, False),
        ("0-65535/tcp", "tcp", 0, True),
        ("0-65535/tcp", "tcp", 65535, True),
        ("58/raw", "raw", 58, True),
    ],
)
def test_a_port_is_found_by_number_and_protocol(port: str, proto: str, number: int, found: bool) -> None:
    index = PortIndex([ready_line(an_entry("line", port), a_policy())])
    assert bool(index.at(a_listener(proto=proto).proto, number)) is found


@pytest.mark.parametrize("bind", ["any", "wildcard", "loopback", "10.0.0.0/8"])
def test_an_address_that_is_none_is_not_let_through_by_a_network(bind: str) -> None:
    """A packet socket has no IP address: a line without a bind accepts it, one with a network cannot vouch for it."""
    sniffer = a_listener("0.0.0.0", 3, proto="packet").model_copy(update={"address": "*", "family": None})
    index = PortIndex([ready_line(an_entry("line", "3/packet", bind=bind), a_policy())])
    [candidate] = index.at("packet", 3)
    assert accept(candidate, reach_of(sniffer)).fit == ("whole" if bind in {"any", "wildcard"} else "part")
    assert touch(candidate, reach_of(sniffer)).hit == "yes"


def test_mapped_addresses_are_the_ipv4_they_carry_on_both_sides() -> None:
    mapped = a_listener("127.0.0.1", 443).model_copy(update={"address": "::ffff:127.0.0.1"})
    for bind in ("127.0.0.0/8", "::ffff:127.0.0.0/104"):
        [candidate] = PortIndex([ready_line(an_entry("line", "443/tcp4", bind=bind), a_policy())]).at("tcp", 443)
        assert accept(candidate, reach_of(mapped)).fit == "whole"


def test_lines_that_overlap_are_all_found_in_order() -> None:
    ports = ["1-65535/tcp", "443/tcp", "400-500/tcp", "443-443/tcp4", "444/tcp", "1-442/tcp"]
    index = PortIndex([ready_line(an_entry(port, port), a_policy()) for port in ports])
    found = [candidate.line.entry.id for candidate in index.at("tcp", 443)]
    assert found == ["1-65535/tcp", "443/tcp", "400-500/tcp", "443-443/tcp4"]
    assert Ports(proto="tcp", first=443, last=443, family="ipv4") in index.at("tcp", 443)[3].line.entry.ports
