"""Connections in, how many are in which state out, with what each state means and what a pile-up of it suggests."""

from collections import Counter
from typing import NamedTuple

from auditor.model.connections import TCP_STATES, Connections
from auditor.netstat.block import Block
from auditor.netstat.rows import Fields, name_plain_state


class Meaning(NamedTuple):
    """What a state is, and what many of it hint at ('' when many are nothing special)."""

    is_what: str
    many: str = ""


STATE_FIELDS = ("proto", "state", "count", "meaning", "many_suggest")
ACCEPT_QUEUE = "ACCEPT_QUEUE"
"""Not a state: connections that listeners have not accepted yet, the sum of the Recv-Q of all LISTEN rows."""
MEANINGS = {
    "LISTEN": Meaning("waits for connections"),
    "SYN_SENT": Meaning("has called, no answer yet", "a peer that is down, or a firewall that drops"),
    "SYN_RECV": Meaning("was called, the handshake is not over", "a SYN flood, or a full accept queue"),
    "ESTABLISHED": Meaning("open"),
    "FIN_WAIT1": Meaning("closed here, the peer has not confirmed", "peers that vanished"),
    "FIN_WAIT2": Meaning("closed here, the peer has not closed yet", "peers that do not close"),
    "TIME_WAIT": Meaning("closed here first, waits for stragglers", "many short connections opened from here"),
    "CLOSE_WAIT": Meaning("the peer has closed, the application here has not", "the application does not close"),
    "LAST_ACK": Meaning("closed after the peer, who has not confirmed", "peers that vanished"),
    "CLOSING": Meaning("both sides closed at once", "peers that vanished"),
    "CLOSE": Meaning("bound or left over, no connection"),
    "UNCONNECTED": Meaning("takes datagrams from anybody"),
    ACCEPT_QUEUE: Meaning("connections the application has not accepted yet", "an application stuck or too slow"),
}
_UNKNOWN = Meaning("a state that this version does not know")
_WIDTH = max(len(meaning.is_what) for meaning in MEANINGS.values())
_HEAD = "Sockets by state", f"{'Proto':<7} {'State':<12} {'Count':>7}  {'Meaning':<{_WIDTH}}  A pile-up suggests"


def count_rows(connections: Connections) -> list[tuple[str, str, int]]:
    """Return (protocol, state, how many), IPv4 and IPv6 together, in the order of MEANINGS."""
    counts: Counter[tuple[str, str]] = Counter()
    for table, number, rows in connections.counted:
        counts[table.removesuffix("6"), TCP_STATES.get(number, str(number))] += rows
    for row in connections.inet:
        proto, state = row.table.removesuffix("6"), name_plain_state(row)
        counts[proto, state] += 1
        if state == "LISTEN" and row.recv_queue:
            counts[proto, ACCEPT_QUEUE] += row.recv_queue
    order = {state: place for place, state in enumerate(MEANINGS)}
    protos = list(dict.fromkeys(proto for proto, _ in counts))
    ranked = sorted(counts, key=lambda key: (protos.index(key[0]), order.get(key[1], len(order)), key[1]))
    return [(proto, state, counts[proto, state]) for proto, state in ranked]


def show_states(connections: Connections) -> list[Block]:
    """Return the table of states as text."""
    lines = []
    for proto, state, count in count_rows(connections):
        meaning = MEANINGS.get(state, _UNKNOWN)
        lines.append(f"{proto:<7} {state:<12} {count:>7}  {meaning.is_what:<{_WIDTH}}  {meaning.many}".rstrip())
    return [Block(_HEAD, lines)]


def list_states(connections: Connections) -> list[Fields]:
    """Return the table of states as fields."""
    found: list[Fields] = []
    for proto, state, count in count_rows(connections):
        meaning = MEANINGS.get(state, _UNKNOWN)
        found.append(dict(zip(STATE_FIELDS, (proto, state, count, meaning.is_what, meaning.many or None), strict=True)))
    return found
