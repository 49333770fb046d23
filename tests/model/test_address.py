"""Scopes and spellings of bind addresses, after the RFCs that define the ranges."""

from ipaddress import ip_address

import pytest

from auditor.model.address import classify_scope, join_port, unmap


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("0.0.0.0", "wildcard"),
        ("::", "wildcard"),
        ("::ffff:0.0.0.0", "wildcard"),
        ("127.0.0.1", "loopback"),
        ("127.0.0.53", "loopback"),  # RFC 1122: all of 127/8
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.53", "loopback"),
        ("169.254.1.1", "link-local"),  # RFC 3927
        ("fe80::1", "link-local"),  # RFC 4291
        ("fe80::1%eth0", "link-local"),
        ("febf::1", "link-local"),
        ("10.0.0.1", "private"),  # RFC 1918
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", "global"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),  # RFC 6598
        ("100.128.0.1", "global"),
        ("fd00::1", "private"),  # RFC 4193
        ("fc00::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("224.0.0.251", "multicast"),
        ("ff02::fb", "multicast"),
        ("8.8.8.8", "global"),
        ("2001:db8::1", "global"),
        ("128.0.0.1", "global"),
    ],
)
def test_scopes(address: str, scope: str) -> None:
    assert classify_scope(ip_address(address)) == scope


def test_a_mapped_address_is_the_ipv4_it_carries() -> None:
    assert unmap(ip_address("::ffff:192.0.2.1")) == ip_address("192.0.2.1")
    assert unmap(ip_address("::1")) == ip_address("::1")


@pytest.mark.parametrize(
    ("address", "joined"), [("10.0.0.1", "10.0.0.1:22"), ("::", "[::]:22"), ("fe80::1", "[fe80::1]:22")]
)
def test_ports_are_joined_as_urls_have_them(address: str, joined: str) -> None:
    assert join_port(address, 22) == joined
