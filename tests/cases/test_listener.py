"""Listeners in short form. What `ss -ltn` prints for the same socket is the address expected."""

import pytest
from pydantic_core import PydanticCustomError

from auditor.cases import parse_listener
from auditor.model.facts import Listener


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp 0.0.0.0:443 nginx", ("tcp", "ipv4", "0.0.0.0", 443, "wildcard", None)),
        ("udp [::]:53", ("udp", "ipv6", "::", 53, "wildcard", "yes")),
        ("tcp [::]:80 v6only", ("tcp", "ipv6", "::", 80, "wildcard", "no")),
        ("tcp [::1]:25", ("tcp", "ipv6", "::1", 25, "loopback", None)),
        ("tcp [::ffff:127.0.0.1]:25", ("tcp", "ipv4", "127.0.0.1", 25, "loopback", None)),
        ("tcp [2001:DB8:0::1]:25", ("tcp", "ipv6", "2001:db8::1", 25, "global", None)),
        ("sctp 10.0.0.5:2905", ("sctp", "ipv4", "10.0.0.5", 2905, "private", None)),
        ("packet *:3", ("packet", None, "*", 3, "wildcard", None)),
        ("raw 0.0.0.0:1", ("raw", "ipv4", "0.0.0.0", 1, "wildcard", None)),
    ],
)
def test_where(text: str, expected: tuple[object, ...]) -> None:
    one = parse_listener(text)
    assert (one.proto, one.family, one.address, one.port, one.scope, one.dual_stack) == expected


def test_who() -> None:
    one = parse_listener("tcp 0.0.0.0:443 nginx exe=/usr/sbin/nginx user=www-data uid=33 unit=nginx.service sockets=4")
    assert (one.owner_status, one.user, one.uid, one.sockets) == ("known", "www-data", 33, 4)
    assert [(owner.comm, owner.exe, owner.unit) for owner in one.owners] == [
        ("nginx", "/usr/sbin/nginx", "nginx.service")
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("tcp 0.0.0.0:1", "not-collected"),
        ("tcp 0.0.0.0:1 user=root", "unprivileged"),
        ("udp 0.0.0.0:51820 owner=kernel", "kernel"),
        ("tcp 0.0.0.0:1 owner=other-namespace", "other-namespace"),
    ],
)
def test_what_is_not_written_was_not_seen(text: str, status: str) -> None:
    one = parse_listener(text)
    assert (one.owner_status, one.owners) == (status, ())


def test_clients_and_namespaces() -> None:
    assert parse_listener("udp 0.0.0.0:41234 ephemeral").kind == "ephemeral-udp"
    assert parse_listener("tcp 0.0.0.0:80 netns=4026532281").netns == "4026532281"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tpc 0.0.0.0:1", "'tpc' is not a protocol | did you mean 'tcp'?"),
        ("tcp 0.0.0.0", "'0.0.0.0' is not an address and a port | write for example tcp 0.0.0.0:443 nginx"),
        ("tcp 0.0.0.0:65536", "'0.0.0.0:65536' is not an address and a port"),
        ("tcp *:80", "* is one address to some programs and two to others | write 0.0.0.0, or [::], or both"),
        ("tcp localhost:80", "'localhost' is not an IP address"),
        ("tcp 0.0.0.0:80 v6only", "v6only is said of [::] only"),
        ("tcp 0.0.0.0:80 ephemeral", "ephemeral is said of UDP only"),
        ("tcp 0.0.0.0:80 nginx procss=x", "'procss=x' says nothing here | did you mean 'process'?"),
        ("tcp 0.0.0.0:80 nginx www-data", "'www-data' says nothing here"),
        ("tcp 0.0.0.0:80 owner=me", "unknown owner 'me'"),
        ("tcp 0.0.0.0:80 uid=root", "uid=root is not a number"),
        ("", "'' is not a protocol"),
    ],
)
def test_a_mistake_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(PydanticCustomError) as raised:
        parse_listener(text)
    context = raised.value.context or {}
    assert f"{context['message']} | {context['hint']}".startswith(told)


def test_it_is_a_listener_like_any_other() -> None:
    assert isinstance(parse_listener("tcp 0.0.0.0:443"), Listener)
