"""Bytes in, messages out, and back: paramiko's packets, read ahead and written behind.

Packets under AES-GCM (RFC 5647), which nearly all are, take a short way here; all others go by paramiko's own. The two
share one state, paramiko's, so that either can follow the other: its names are listed in `STATE`.
"""

import os
from collections.abc import Callable
from typing import Any

import paramiko

from auditor.transport.deadline import Deadline
from auditor.transport.ssh_protocol import BoundedPacketizer
from auditor.transport.ssh_wire import Lull, Wire

STATE = tuple(
    f"_Packetizer__{name}_{way}" for way in ("in", "out") for name in ("aead", "block_engine", "iv", "sequence_number")
) + tuple(
    f"_Packetizer__{name}"
    for name in (
        "need_rekey",
        "received_bytes",
        "received_bytes_overflow",
        "received_packets",
        "received_packets_overflow",
        "sent_bytes",
        "sent_packets",
    )
)
"""What a Packetizer keeps, under the names that Python gives to what is its own."""

_BLOCK, _TAG = 16, 16
_POOL = 128
"""More than one audit's padding takes: each draw of random bytes is a system call, and lets other threads in."""


class DrivenPacketizer(BoundedPacketizer):
    """Reads ahead and writes behind: one system call moves many packets. For one thread at a time."""

    # What is leaned on, for the type checker; see STATE.
    _Packetizer__aead_in: bool
    _Packetizer__aead_out: bool
    _Packetizer__block_engine_in: Any
    _Packetizer__block_engine_out: Any
    _Packetizer__iv_in: bytes
    _Packetizer__iv_out: bytes
    _Packetizer__need_rekey: bool
    _Packetizer__received_bytes: int
    _Packetizer__received_packets: int
    _Packetizer__sent_bytes: int
    _Packetizer__sent_packets: int
    _Packetizer__sequence_number_in: int
    _Packetizer__sequence_number_out: int
    _trigger_rekey: Callable[[], None]

    def __init__(self, socket: Wire) -> None:
        super().__init__(socket)
        self.limit = Deadline(0.0)
        self._wire = socket
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._padding = b""

    @property
    def buffered(self) -> bool:
        return bool(self._incoming)

    def write_all(self, out: Any) -> None:
        self._outgoing += out

    def take_outgoing(self) -> bytes:
        """Return what is waiting to be sent, which is then for the caller to send."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def fill(self, deadline: Deadline, lull: Lull | None = None) -> bool:
        """Send what waits, and wait for bytes; return whether some came in time. Raises EOFError at the end."""
        if self._outgoing:
            self._wire.send_all(self.take_outgoing(), self.limit)
        data = self._wire.receive(deadline, lull)
        if data is None:
            return False
        if not data:
            raise EOFError
        self._incoming += data
        return True

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:  # noqa: ARG002  # paramiko's signature
        self.charge(n)
        self._have(n)
        data = bytes(self._incoming[:n])
        del self._incoming[:n]
        return data

    def _have(self, n: int) -> None:
        """Wait until `n` bytes are here."""
        while len(self._incoming) < n:
            if not self.fill(self.limit):
                raise TimeoutError("a packet stops in the middle")

    # -- under AES-GCM

    def read_message(self) -> tuple[int, paramiko.Message]:
        # While a new key exchange is waited for, paramiko counts what comes instead.
        if not self._Packetizer__aead_in or self._Packetizer__need_rekey:
            return super().read_message()
        payload = self._open()
        message = paramiko.Message(payload[1:])
        message.seqno = number = self._Packetizer__sequence_number_in
        self._Packetizer__sequence_number_in = (number + 1) & 0xFFFFFFFF
        self.note(payload[0], message)
        return payload[0], message

    def _open(self) -> bytes:
        """Return the payload of the next packet, decrypted; its own length is all of it that is not encrypted."""
        self.charge(_BLOCK)
        self._have(_BLOCK)
        incoming = self._incoming
        associated = bytes(incoming[:4])
        size = int.from_bytes(associated, "big")
        whole = 4 + size + _TAG
        self.charge(whole - _BLOCK)
        self._have(whole)
        sealed = bytes(incoming[4:whole])
        del incoming[:whole]
        plain: bytes = self._Packetizer__block_engine_in.decrypt(self._Packetizer__iv_in, sealed, associated)
        self._Packetizer__iv_in = _next_iv(self._Packetizer__iv_in)
        self._Packetizer__received_bytes += whole
        self._Packetizer__received_packets += 1
        self._ask_for_new_keys(self._Packetizer__received_packets, self._Packetizer__received_bytes)
        return plain[1 : size - plain[0]]

    def send_message(self, data: paramiko.Message) -> None:
        if not self._Packetizer__aead_out:
            super().send_message(data)
            return
        payload = data.asbytes()
        padding = 3 + _BLOCK - (len(payload) + 4) % _BLOCK
        size = len(payload) + padding + 1
        associated = size.to_bytes(4, "big")
        plain = b"%c%b%b" % (padding, payload, self._pad(padding))
        sealed = self._Packetizer__block_engine_out.encrypt(self._Packetizer__iv_out, plain, associated)
        self._Packetizer__iv_out = _next_iv(self._Packetizer__iv_out)
        self._Packetizer__sequence_number_out = (self._Packetizer__sequence_number_out + 1) & 0xFFFFFFFF
        self.write_all(associated + sealed)
        self._Packetizer__sent_bytes += 4 + len(sealed)
        self._Packetizer__sent_packets += 1
        if not self._Packetizer__need_rekey:
            self._ask_for_new_keys(self._Packetizer__sent_packets, self._Packetizer__sent_bytes)

    def _pad(self, size: int) -> bytes:
        """Return random bytes (RFC 4253 §6), each of them once."""
        if len(self._padding) < size:
            self._padding = os.urandom(_POOL)
        taken, self._padding = self._padding[:size], self._padding[size:]
        return taken

    def _ask_for_new_keys(self, packets: int, size: int) -> None:
        """Have the keys exchanged anew after so much, as paramiko does."""
        if packets >= self.REKEY_PACKETS or size >= self.REKEY_BYTES:
            self._Packetizer__received_bytes_overflow = 0
            self._Packetizer__received_packets_overflow = 0
            self._trigger_rekey()


def _next_iv(iv: bytes) -> bytes:
    """Return the next invocation counter behind the fixed field, RFC 5647 §7.1."""
    return iv[:4] + (int.from_bytes(iv[4:], "big") + 1).to_bytes(8, "big")
