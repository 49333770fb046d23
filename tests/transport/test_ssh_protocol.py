"""Greetings and offers from servers: decoded alike however they arrive, and never a surprise."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import TransportError
from auditor.transport.ssh_algorithms import CIPHERS, HOST_KEYS, KEX, MACS, Algorithms, order_host_keys
from auditor.transport.ssh_banner import find_version
from auditor.transport.ssh_protocol import agree, explain_disagreement, read_offer
from tests.servers import hostile


def test_version_line_is_found_after_other_lines() -> None:
    """RFC 4253 §4.2: a server may send other lines first; what follows the version is the protocol's."""
    greeting = find_version(b"welcome\r\nto us\nSSH-2.0-x y\r\n\x00\x01")
    assert greeting is not None
    assert (greeting.version, greeting.received) == ("SSH-2.0-x y", b"SSH-2.0-x y\r\n\x00\x01")
    assert find_version(b"SSH-1.99-old\n") is not None
    assert find_version(b"SSH-2.0-not yet") is None
    assert find_version(b"") is None


@pytest.mark.parametrize(
    "received",
    [b"x" * 9000, b"x\n" * 60, b"HTTP/1.0 200 OK\r\n", b"SSH-3.0-x\n", b"SSH-2.0-\xff\n", b"SSH-\n",
     b"SSH-2.0-" + b"x" * 300 + b"\n", b"y" * 9000 + b"\nSSH-2.0-x\n"],
)  # fmt: skip
def test_what_is_no_greeting(received: bytes) -> None:
    with pytest.raises(TransportError) as failure:
        find_version(received)
    assert failure.value.code == "not-ssh"
    assert failure.value.message.isprintable()


@given(st.binary(max_size=200))
def test_any_first_bytes(received: bytes) -> None:
    """Found, not yet, or a TransportError whose text is safe to show."""
    with contextlib.suppress(TransportError):
        greeting = find_version(received)
        assert greeting is None or received.endswith(greeting.received)
        return
    with pytest.raises(TransportError) as failure:
        find_version(received)
    assert failure.value.message.isprintable()


def test_offer_is_read_and_disagreement_named() -> None:
    offer = read_offer(hostile.kexinit(kex="sntrup761x25519-sha512,ext-info-s", cipher="aes128-ctr")[6:])
    assert (offer.kex, offer.host_keys) == (("sntrup761x25519-sha512", "ext-info-s"), ("ssh-ed25519",))
    assert (offer.ciphers, offer.macs) == (("aes128-ctr",), ("hmac-sha2-256",))
    assert explain_disagreement(offer, Algorithms()).startswith(
        "no common key exchange: the server offers sntrup761x25519-sha512; we use mlkem768x25519-sha256"
    )
    assert explain_disagreement(read_offer(hostile.kexinit()[6:]), Algorithms()) == ""


@given(st.binary(max_size=300))
def test_any_offer_can_be_read(kexinit: bytes) -> None:
    offer = read_offer(kexinit)
    assert explain_disagreement(offer, Algorithms()).isprintable()


def test_stored_key_types_come_first() -> None:
    assert order_host_keys(["ssh-rsa", "ssh-dss"])[:3] == ("rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519")
    assert order_host_keys([]) == HOST_KEYS
    assert sorted(order_host_keys(["ecdsa-sha2-nistp384"])) == sorted(HOST_KEYS)


def test_nothing_weak_is_spoken() -> None:
    """NIST SP 800-131A and RFC 9142 on what is to be left behind."""
    spoken = " ".join((*KEX, *HOST_KEYS, *CIPHERS, *MACS))
    for weak in ("sha1", "md5", "cbc", "3des", "arcfour", "dss", "group1-", "group-exchange", "umac", "96"):
        assert weak not in spoken
    assert agree(("a", "b"), ("b", "a")) == "a"
    assert agree(("a",), ("b",)) is None
