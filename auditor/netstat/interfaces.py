"""The interfaces with their counters in, what `netstat -i` shows of them out."""

import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

from auditor.display import escape
from auditor.model.network import Interface, Interfaces
from auditor.netstat.block import Block
from auditor.netstat.rows import Fields
from auditor.netstat.view import View

_HEAD = (
    "Kernel Interface table",
    "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg",
)
UP = 0x1
# netdevice(7), include/uapi/linux/if.h; in the order in which net-tools shows them.
_LETTERS: tuple[tuple[int, str], ...] = (
    (0x200, "A"),
    (0x2, "B"),
    (0x4, "D"),
    (0x8, "L"),
    (0x1000, "M"),
    (0x8000, "d"),
    (0x100, "P"),
    (0x20, "N"),
    (0x80, "O"),
    (0x10, "P"),
    (0x800, "s"),
    (0x400, "m"),
    (0x40, "R"),
    (0x1, "U"),
)
_DIGITS = re.compile(r"([0-9]+)")
INTERFACE_FIELDS = (
    "interface",
    "mtu",
    "flags",
    *(f"{way}_{what}" for way in ("rx", "tx") for what in ("packets", "errors", "dropped", "overruns", "bytes")),
)


class Named(Protocol):
    """Anything that goes by the name of an interface."""

    @property
    def name(self) -> str: ...


OfName = TypeVar("OfName", bound=Named)


def show_interfaces(interfaces: Interfaces, view: View) -> Block:
    """Return the interfaces that are up, or all of them, as net-tools 2.10 lists them; what is not known is `-`."""
    return Block(_HEAD, [_show(each) for each in choose_interfaces(interfaces.rows, view)])


def choose_interfaces(rows: Iterable[Interface], view: View) -> list[Interface]:
    """Return the interfaces that the flags ask for, sorted. One of which it is not known counts as up."""
    shown = [each for each in rows if view.all or each.flags is None or each.flags & UP]
    return sort_naturally(shown)


def sort_naturally(rows: Iterable[OfName]) -> list[OfName]:
    """Return the rows by name, eth2 before eth10."""
    return sorted(rows, key=lambda each: _natural(each.name))


def list_interface(each: Interface) -> Fields:
    """Return the fields of an interface; None is what is not known."""
    fields: Fields = {
        "interface": each.name,
        "mtu": each.mtu,
        "flags": None if each.flags is None else write_flags(each.flags),
    }
    for way, traffic in (("rx", each.received), ("tx", each.sent)):
        fields |= {
            f"{way}_packets": traffic.packets,
            f"{way}_errors": traffic.errors,
            f"{way}_dropped": traffic.dropped,
            f"{way}_overruns": traffic.overruns,
            f"{way}_bytes": traffic.bytes,
        }
    return fields


def write_flags(flags: int | None) -> str:
    """Return the letters of an interface's flags."""
    if flags is None:
        return "-"
    return "".join(letter for bit, letter in _LETTERS if flags & bit) or "[NO FLAGS]"


def _show(each: Interface) -> str:
    got, sent = each.received, each.sent
    mtu = "-" if each.mtu is None else each.mtu
    return (
        f"{escape(each.name):<15} {mtu:>5} {got.packets:>8} {got.errors:>6} {got.dropped:>6} {got.overruns:<6}"
        f" {sent.packets:>8} {sent.errors:>6} {sent.dropped:>6} {sent.overruns:>6} {write_flags(each.flags)}"
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(name) if part]
