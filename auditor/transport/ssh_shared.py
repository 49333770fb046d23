"""A connection that many threads use at once: a jump host's, with a channel to each host behind it.

paramiko's own thread reads it. What paramiko does not do is tell two channels apart that are refused at the same time,
nor keep what the server says about it; both are noted here, in passing.
"""

import threading

import paramiko

from auditor.display import escape
from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.ssh_protocol import BoundedPacketizer, Engine
from auditor.transport.ssh_wire import Wire

_CHANNEL_OPEN, _OPEN_FAILURE = 90, 92  # RFC 4254 §9
CONNECT_FAILED = 2
"""RFC 4254 §5.1: the server tried to connect, and could not."""


class TunnelRefusedError(Exception):
    """The server does not open the channel: `code` of RFC 4254 §5.1, and its own `text` (of sshd: strerror(3)'s)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class _Ledger(BoundedPacketizer):
    """Notes which channel each thread asked for last, and why channels were refused."""

    def __init__(self, socket: Wire) -> None:
        super().__init__(socket)
        self.asked = threading.local()
        self.refusals: dict[int, TunnelRefusedError] = {}

    def send_message(self, data: paramiko.Message) -> None:
        payload = data.asbytes()
        if payload[0] == _CHANNEL_OPEN:
            fields = paramiko.Message(payload[1:])
            fields.get_binary()
            self.asked.numbers.append(fields.get_int())
        super().send_message(data)

    def read_message(self) -> tuple[int, paramiko.Message]:
        kind, message = super().read_message()
        if kind == _OPEN_FAILURE:
            fields = paramiko.Message(message.asbytes())
            number, code = fields.get_int(), fields.get_int()
            text = fields.get_binary()[:400].decode("utf-8", "surrogateescape")
            self.refusals[number] = TunnelRefusedError(code, escape(text, 200))
        return kind, message


class SharedEngine(Engine):
    """An Engine that opens channels to further hosts, from any number of threads."""

    packetizer_kind = _Ledger
    packetizer: _Ledger  # made of packetizer_kind

    def open_tunnel(self, address: str, port: int, limit: Deadline, watchdog: Watchdog) -> paramiko.Channel:
        """Return a channel to `address`, as the server resolves it.

        Raises TunnelRefusedError, TimeoutError when there was no answer in time, or what paramiko raises.
        """
        ledger = self.packetizer
        ledger.asked.numbers = asked = list[int]()

        def give_up() -> None:
            for number in asked:
                if waiting := self.channel_events.pop(number, None):
                    waiting.set()

        try:
            # paramiko would count the seconds itself, but on a clock that can be set.
            with watchdog.guard(limit, give_up):
                channel = self.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0))
        except (paramiko.SSHException, EOFError, OSError) as error:
            for refusal in filter(None, (ledger.refusals.pop(number, None) for number in asked)):
                raise refusal from error
            raise
        if not channel.active:
            raise TimeoutError("the channel was neither opened nor refused")
        return channel
