"""A listener in, what the kernel's line about it means out, in words."""

import re
from collections.abc import Iterator

from auditor.evaluate.wording import count
from auditor.model.address import join_port
from auditor.model.facts import ByteOrder, Listener

_PLACE = re.compile(r"\b((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})\b")
_DUAL = {
    "yes": "it may take IPv4 connections too, as it does unless its program set IPV6_V6ONLY, which is in no table, "
    "and is held to do so",
    "no": "it is held to take IPv6 connections only",
    "unknown": "it may take IPv4 connections too (IPV6_V6ONLY is in no table), and is held to do so",
}
_OWNERS = {
    "not-collected": "not collected",
    "unprivileged": "not visible without root",
    "other-namespace": "nobody that is seen from the pid namespace of the audit, which is not the host's first",
    "unknown": "no process found",
    "known": "",
    "kernel": "the kernel, no process",
}
_NUMBERS = {"raw": "IP protocol", "packet": "Ethernet protocol"}


def decode_listener(listener: Listener, order: ByteOrder = "unknown") -> Iterator[str]:
    """Yield what was read from the line, and what was concluded from it; `order` is how the host stores addresses."""
    place = _PLACE.search(listener.raw)
    if place is not None:
        said = f"its address in {order}-endian words" if order != "unknown" else "its address in the host's words"
        yield f"{place[0]} is {join_port(listener.address, listener.port)}: {said}, the port in hexadecimal"
    number = _NUMBERS.get(listener.proto, "port")
    family = {"ipv4": " over IPv4", "ipv6": " over IPv6", None: ""}[listener.family]
    yield f"{listener.proto}{family}, {number} {listener.port}, address {listener.address} (scope {listener.scope})"
    if listener.service:
        yield f"the host's own /etc/services calls it {listener.service}: a label, which decides nothing"
    if listener.dual_stack and listener.proto != "raw":  # a raw socket is of one family
        yield _DUAL[listener.dual_stack]
    if listener.kind == "ephemeral-udp":
        yield "an unconnected UDP socket in the host's ephemeral range: most likely a client"
    if listener.seen == "some":
        yield "it was in some readings of the table only"
    if listener.sockets > 1:
        sockets = count(listener.sockets, "socket")
        yield f"{sockets} of one user share it (by SO_REUSEPORT, SO_REUSEADDR or SO_BINDTODEVICE)"
    if listener.netns != "host":
        yield f"it is in the network namespace {listener.netns}, not in the host's own"
    yield from _decode_owners(listener)


def _decode_owners(listener: Listener) -> Iterator[str]:
    if listener.uid is not None:
        name = f" ({listener.user})" if listener.user else ""
        yield f"the socket belongs to user {listener.uid}{name}"
    for owner in listener.owners:
        parts = (owner.exe, owner.unit and f"unit {owner.unit}", owner.container and f"container {owner.container}")
        more = ", ".join(filter(None, parts))
        yield f"held by {owner.comm or 'a process'}, pid {owner.pid}{f' ({more})' if more else ''}"
    if listener.owners and listener.owner_status != "known":
        yield "others may hold it too: not every process was seen"
    if not listener.owners:
        yield f"held by: {_OWNERS[listener.owner_status] or 'nobody'}"
