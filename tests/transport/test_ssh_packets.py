"""Packets by the short way: paramiko's own Packetizer on the other side reads and writes the same bytes."""

import hashlib
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from paramiko.packet import Packetizer

from auditor.transport.deadline import Deadline
from auditor.transport.ssh_packets import STATE, DrivenPacketizer
from auditor.transport.ssh_wire import Wire

KEY, IV = bytes(range(16)), b"\1\2\3\4\xff\xff\xff\xff\xff\xff\xff\0"
PAYLOADS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 300) | st.just(40_000)), min_size=1, max_size=3)
"""Kinds and sizes."""


@contextmanager
def two_sides() -> Iterator[tuple[DrivenPacketizer, Packetizer]]:
    """Yield ours and paramiko's, which talk to each other under AES-GCM."""
    near, far = socket.socketpair()
    with near, far:
        far.settimeout(5.0)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours, theirs = DrivenPacketizer(Wire(near)), Packetizer(far)
        ours.limit = Deadline(5.0)
        for side in (ours, theirs):
            seal(side)
        yield ours, theirs


def seal(side: Any) -> None:
    side.set_outbound_cipher(AESGCM(KEY), 16, None, 16, None, aead=True, iv_out=IV)
    side.set_inbound_cipher(AESGCM(KEY), 16, None, 16, None, aead=True, iv_in=IV)


def shroud(side: Any) -> None:
    """Go over to AES-CTR with a MAC, which is made of the sequence number too."""
    cipher = Cipher(algorithms.AES(KEY), modes.CTR(bytes(16)))
    side.set_outbound_cipher(cipher.encryptor(), 16, hashlib.sha256, 32, KEY, sdctr=True)
    side.set_inbound_cipher(cipher.decryptor(), 16, hashlib.sha256, 32, KEY)


def send(ours: DrivenPacketizer, payload: bytes) -> None:
    ours.send_message(paramiko.Message(payload))
    ours._wire.send_all(ours.take_outgoing(), ours.limit)


def read(side: Packetizer) -> bytes:
    kind, message = side.read_message()
    return bytes([kind]) + message.asbytes()


def state(side: Packetizer) -> dict[str, Any]:
    """Return all that is counted."""
    return {name: vars(side)[name] for name in STATE if "engine" not in name}


@given(PAYLOADS)
def test_both_ways_are_one(payloads: list[tuple[int, int]]) -> None:
    """What goes in comes out, and the two keep count alike; also over a change to a cipher that the counts go into."""
    with two_sides() as (ours, theirs):
        for change in (seal, shroud, seal):
            for kind, size in payloads:
                payload = bytes([kind]) + bytes(index % 251 for index in range(size))
                send(ours, payload)
                assert read(theirs) == payload
                theirs.send_message(paramiko.Message(payload))
                assert read(ours) == payload
            assert state(ours) == state(theirs)
            for side in (ours, theirs):
                change(side)


def test_numbers_of_messages_are_known() -> None:
    """An answer to a message that nobody understood names it (RFC 4253 §11.4)."""
    with two_sides() as (ours, theirs):
        seen = []
        for _ in range(3):
            theirs.send_message(paramiko.Message(b"\xc8unknown"))
            seen.append(ours.read_message()[1].seqno)  # type: ignore[attr-defined,unused-ignore]  # as the stubs know it
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("place", [0, 3, 4, 20, -1])
def test_changed_packet_is_refused(place: int) -> None:
    with two_sides() as (ours, theirs):
        theirs.send_message(paramiko.Message(b"\x5e" + bytes(100)))
        sent = bytearray(ours._wire.receive(ours.limit) or b"")
        sent[place] ^= 1
        ours._wire.replay(b"", bytes(sent) + bytes(300))
        with pytest.raises((InvalidTag, paramiko.SSHException)):
            ours.read_message()


def test_announced_size_is_bounded() -> None:
    """Before a byte of it is waited for."""
    with two_sides() as (ours, _):
        ours._wire.replay(b"", struct.pack(">I", 1 << 30) + bytes(16))
        with pytest.raises(paramiko.SSHException, match="announced a packet of 1073741828 bytes"):
            ours.read_message()


def test_share_is_bounded() -> None:
    with two_sides() as (ours, theirs):
        ours.seen.budget = 100_000
        for _ in range(5):
            theirs.send_message(paramiko.Message(b"\x02" + bytes(19_970)))
            if ours.seen.received < 80_000:
                read(ours)
        with pytest.raises(paramiko.SSHException, match="more than its share"):
            ours.read_message()
        assert ours.seen.exhausted


@pytest.mark.parametrize("change", [seal, shroud])
def test_messages_count_beside_their_bytes(change: Callable[[object], None]) -> None:
    """So many as fit into the share when they are empty would keep us busy for long."""
    with two_sides() as (ours, theirs):
        for side in (ours, theirs):
            change(side)
        ours.seen.budget = 16 * 1024
        for _ in range(100):
            theirs.send_message(paramiko.Message(b"\x02" + bytes(4)))
        taken = 0
        with suppress(paramiko.SSHException):
            while True:
                read(ours)
                taken += 1
        assert ours.seen.exhausted
        assert 30 < taken < 60


@pytest.mark.parametrize("name", ["REKEY_PACKETS", "REKEY_BYTES"])
@pytest.mark.parametrize("way", ["in", "out"])
def test_new_keys_are_asked_for(monkeypatch: pytest.MonkeyPatch, name: str, way: str) -> None:
    """When paramiko would, of what came and of what went; and then what comes counts against the server."""
    monkeypatch.setattr(Packetizer, name, 3 if name == "REKEY_PACKETS" else 3 * 68)
    with two_sides() as (ours, theirs):
        asked = []
        for _ in range(4):
            if way == "in":
                theirs.send_message(paramiko.Message(b"\x5e" + bytes(40)))
                read(ours)
            else:
                send(ours, b"\x5e" + bytes(40))
                read(theirs)
            assert state(ours)["_Packetizer__need_rekey"] == theirs.need_rekey()
            asked.append(ours.need_rekey())
    assert asked == [False, False, True, True]


def test_padding_is_never_the_same_twice() -> None:
    with two_sides() as (ours, _):
        drawn = [ours._pad(12) for _ in range(100)]
    assert len(set(drawn)) == len(drawn)
    assert {len(padding) for padding in drawn} == {12}
