"""The words of a filter: each a value and an operator in, a test for one row out."""

import operator as op
import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import NamedTuple

from auditor.model.address import Address, Network, unmap
from auditor.model.connections import UNIX_LISTENS, Connection, UnixSocket
from auditor.model.names import Names

OPERATORS = {
    **dict.fromkeys(("=", "==", "eq", "is"), "="),
    **dict.fromkeys(("!=", "ne", "neq"), "!="),
    **dict.fromkeys(("<", "lt"), "<"),
    **dict.fromkeys((">", "gt"), ">"),
    **dict.fromkeys(("<=", "le", "leq"), "<="),
    **dict.fromkeys((">=", "ge", "geq"), ">="),
}
_COMPARE: dict[str, Callable[[int, int], bool]] = {"<": op.lt, ">": op.gt, "<=": op.le, ">=": op.ge}

_STATES = {
    "established": {0x01},
    "syn-sent": {0x02},
    "syn-recv": {0x03},
    "fin-wait-1": {0x04},
    "fin-wait-2": {0x05},
    "time-wait": {0x06},
    "unconnected": {0x07},
    "close-wait": {0x08},
    "last-ack": {0x09},
    "listening": {0x0A},
    "closing": {0x0B},
    "all": set(range(256)),
    "connected": set(range(0x01, 0x0C)) - {0x07, 0x0A},
    "synchronized": set(range(0x01, 0x0C)) - {0x02, 0x07, 0x0A},
    "bucket": {0x03, 0x06},
    "big": set(range(0x01, 0x0C)) - {0x03, 0x06},
}
"""The states and groups of ss(8). A socket without a peer that does not listen, of UDP above all, is `unconnected`."""
_OTHER_STATE_WORDS = {
    "estab": "established",
    "listen": "listening",
    "close": "unconnected",
    "closed": "unconnected",
    "unconn": "unconnected",
    "fin-wait1": "fin-wait-1",
    "fin-wait2": "fin-wait-2",
}
_UNIX_STATES = {0: 0x07, 1: 0x07, 2: 0x02, 3: 0x01, 4: 0x0B}
_PROTOS = {
    "tcp": {"tcp", "tcp6"},
    "tcp4": {"tcp"},
    "tcp6": {"tcp6"},
    "udp": {"udp", "udp6"},
    "udp4": {"udp"},
    "udp6": {"udp6"},
    "udplite": {"udplite", "udplite6"},
    "raw": {"raw", "raw6"},
    "unix": {"unix"},
}
_BRACKETED = re.compile(r"\[(?P<host>[^\[\]]*)\](?P<length>/[0-9]+)?(?::(?P<port>.+))?")
_ANY = {"", "*", "any"}


class Subject(NamedTuple):
    """One row to test, with the name of its host and what that host calls things."""

    host: str
    row: Connection | UnixSocket
    names: Names


class WordError(Exception):
    """What is wrong with a value, or with the operator before it."""

    def __init__(self, message: str, hint: str = "", *, at_operator: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at_operator = at_operator


Test = Callable[[Subject], bool]
Services = Callable[[str], frozenset[int]]
_Build = Callable[[str, str, Services], Test]


def state_of(row: Connection | UnixSocket) -> int:
    """Return the state in TCP's numbers; of unix sockets, the one that fits."""
    if isinstance(row, Connection):
        return row.state
    if row.state == 1 and row.flags & UNIX_LISTENS:
        return 0x0A
    return _UNIX_STATES.get(row.state, 0x07)


def _test_state(operator: str, value: str, _services: Services) -> Test:
    word = value.lower().replace("_", "-")
    wanted = _STATES.get(_OTHER_STATE_WORDS.get(word, word))
    if wanted is None:
        raise _unknown("state", value, [*_STATES, *_OTHER_STATE_WORDS])
    return _negate_if(operator, lambda subject: state_of(subject.row) in wanted)


def _test_proto(operator: str, value: str, _services: Services) -> Test:
    wanted = _PROTOS.get(value.lower())
    if wanted is None:
        raise _unknown("protocol", value, _PROTOS)
    return _negate_if(
        operator,
        lambda subject: (subject.row.table if isinstance(subject.row, Connection) else "unix") in wanted,
    )


def _test_port(*fields: str) -> _Build:
    def build(operator: str, value: str, services: Services) -> Test:
        ports = _read_ports(value.removeprefix("*").removeprefix(":"), services)
        if operator in _COMPARE:
            if len(ports) != 1:
                raise WordError(f"{value} is several ports, which cannot be compared", "give a number")
            compare, (bound,) = _COMPARE[operator], ports
            return lambda subject: any(compare(port, bound) for port in _ports_of(subject.row, fields))
        return _negate_if(operator, lambda subject: any(port in ports for port in _ports_of(subject.row, fields)))

    return build


def _ports_of(row: Connection | UnixSocket, fields: Collection[str]) -> list[int]:
    if not isinstance(row, Connection):
        return []
    return [row.local_port if field == "local" else row.remote_port for field in fields]


def _read_ports(text: str, services: Services) -> Collection[int]:
    if text.isascii() and text.isdecimal():
        if int(text) > 0xFFFF:
            raise WordError(f"{text} is no port: they end at 65535")
        return {int(text)}
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and text.isascii():
        if not int(first) <= int(last) <= 0xFFFF:
            raise WordError(f"{text} is no range of ports")
        return range(int(first), int(last) + 1)
    found = services(text) or services(text.lower())
    if not found:
        raise WordError(f"unknown service {text!r}", "write the number of the port, as in :443")
    return found


def _test_address(*fields: str) -> _Build:
    def build(operator: str, value: str, services: Services) -> Test:
        network, port_text = _read_address(value)
        ports = _read_ports(port_text, services) if port_text not in _ANY else None

        def matches(subject: Subject) -> bool:
            row = subject.row
            if not isinstance(row, Connection):
                return False
            ends = ((row.local, row.local_port), (row.remote, row.remote_port))
            return any(
                (network is None or _is_in(address, network)) and (ports is None or port in ports)
                for field, (address, port) in zip(("local", "remote"), ends, strict=True)
                if field in fields
            )

        return _negate_if(operator, matches)

    return build


def _read_address(value: str) -> tuple[Network | None, str]:
    """Return the network (None: any) and the text of the port ('' for any) of `10.0.0.0/8`, `[::1]:443`, `:https`."""
    if bracketed := _BRACKETED.fullmatch(value):
        host, port = bracketed["host"] + (bracketed["length"] or ""), bracketed["port"] or ""
    elif value.count(":") > 1:
        host, port = value, ""
    else:
        host, _, port = value.rpartition(":") if ":" in value else (value, "", "")
    if host.lower() in _ANY:
        return None, port
    try:
        network = ip_network(host, strict=False)
    except ValueError:
        hint = (
            "write it as 10.0.0.9, 10.0.0.0/8 or 10.0.0.9:5432, IPv6 with a port as [::1]:443; names are not looked up"
        )
        raise WordError(f"{host!r} is no address", hint) from None
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96)), port
    return network, port


def _is_in(address: Address, network: Network) -> bool:
    """Return whether the address, or the IPv4 address that it carries, lies in the network."""
    plain = unmap(address)
    return plain.version == network.version and plain in network


def _test_process(operator: str, value: str, _services: Services) -> Test:
    def matches(subject: Subject) -> bool:
        return any(
            fnmatchcase(name, value)
            for holder in subject.row.holders
            for name in (holder.program, holder.owner.comm, (holder.owner.exe or "").rpartition("/")[2])
            if name
        )

    return _negate_if(operator, matches)


def _test_pid(operator: str, value: str, _services: Services) -> Test:
    pid = _read_number(value)
    return _negate_if(operator, lambda subject: any(holder.owner.pid == pid for holder in subject.row.holders))


def _test_user(operator: str, value: str, _services: Services) -> Test:
    def matches(subject: Subject) -> bool:
        uid = subject.row.uid if isinstance(subject.row, Connection) else None
        return uid is not None and (str(uid) == value or fnmatchcase(subject.names.users.get(uid, ""), value))

    return _negate_if(operator, matches)


def _test_host(operator: str, value: str, _services: Services) -> Test:
    return _negate_if(operator, lambda subject: fnmatchcase(subject.host.lower(), value.lower()))


def _test_queue(field: str) -> _Build:
    def build(operator: str, value: str, _services: Services) -> Test:
        bound = _read_number(value)
        compare = _COMPARE.get(operator) or (op.eq if operator == "=" else op.ne)

        def matches(subject: Subject) -> bool:
            row = subject.row
            return isinstance(row, Connection) and compare(getattr(row, field), bound)

        return matches

    return build


def _read_number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise WordError(f"{value!r} is no number")
    return int(value)


def _negate_if(operator: str, test: Test) -> Test:
    """Return the test for `=`, its opposite for `!=`; nothing else makes sense of what is no number."""
    if operator == "=":
        return test
    if operator == "!=":
        return lambda subject: not test(subject)
    raise WordError(f"`{operator}` compares numbers", "use = or != here", at_operator=True)


def _unknown(what: str, value: str, known: Collection[str]) -> WordError:
    near = get_close_matches(value.lower().replace("_", "-"), known, n=1)
    return WordError(
        f"unknown {what} {value!r}", f"did you mean {near[0]}?" if near else f"it is one of {', '.join(known)}"
    )


WORDS: Mapping[str, _Build] = {
    "state": _test_state,
    "proto": _test_proto,
    "sport": _test_port("local"),
    "dport": _test_port("remote"),
    "port": _test_port("local", "remote"),
    "src": _test_address("local"),
    "dst": _test_address("remote"),
    "addr": _test_address("local", "remote"),
    "process": _test_process,
    "pid": _test_pid,
    "user": _test_user,
    "host": _test_host,
    "recv-q": _test_queue("recv_queue"),
    "send-q": _test_queue("send_queue"),
}
"""Every word and what makes a test of it. An Internet word is never true of a unix socket."""
