"""The host itself, its services file, and answers that hold nothing."""

import pytest

from auditor.model.facts import Gap
from auditor.model.snapshot import Snapshot
from auditor.parse import parse_snapshot
from tests.builders import NOW
from tests.parse.kernel import TCP_HEADER, tcp_row
from tests.parse.snapshots import ABSENT, Replaced, a_transcript, gaps_of, parse


def test_the_system() -> None:
    system = parse().system
    assert (system.hostname, system.kernel, system.arch) == ("web-01", "6.1.0-13-amd64", "x86_64")
    assert system.os == "Debian GNU/Linux 12 (bookworm)"
    assert system.ephemeral_ports == (32768, 60999)
    assert not system.privileged
    assert parse(uid=b"0\n").system.privileged


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"PRETTY_NAME='Alpine Linux v3.20'\n", "Alpine Linux v3.20"),
        (b"PRETTY_NAME=Arch\n", "Arch"),
        (b'PRETTY_NAME="\xff\x1b"\n', "\\xff\x1b"),
        (b"NAME=x\n", None),
        (ABSENT, None),
    ],
)
def test_os_release(line: Replaced, name: str) -> None:
    assert parse(os_release=line).system.os == name


@pytest.mark.parametrize(
    ("seconds", "skew"), [(0, 0.0), (2, 0.0), (3, 1.0), (302, 300.0), (-1, 0.0), (-2, -1.0), (-300, -299.0)]
)
def test_clock_skew_is_what_the_session_cannot_explain(seconds: int, skew: float) -> None:
    """The session lasted from NOW to two seconds later; date(1) prints whole seconds."""
    assert parse(date=b"%d\n" % (NOW.timestamp() + seconds)).system.clock_skew_s == skew


def test_a_clock_that_makes_no_sense_is_not_known() -> None:
    assert parse(date=b"tomorrow\n").system.clock_skew_s is None
    assert parse(date=b"9" * 40).system.clock_skew_s is None


def test_what_the_host_does_not_say_is_none() -> None:
    system = parse(hostname=ABSENT, uname=b"Linux\n", date=ABSENT, ip_local_port_range=b"x").system
    assert (system.hostname, system.kernel, system.arch, system.clock_skew_s, system.ephemeral_ports) == (None,) * 5


def test_services_are_labels_first_name_first() -> None:
    facts = parse(tcp=TCP_HEADER + tcp_row("0.0.0.0", 22), services=b"evil 22/tcp\nssh 22/tcp\nssh 22/udp\n")
    assert facts.services == {"22/tcp": "evil", "22/udp": "ssh"}
    assert facts.listeners[0].service == "evil"
    assert facts.gaps == ()


@pytest.mark.parametrize("services", [ABSENT, b"", b"# nothing\n", b"\x00\xff\xfe garbage\n"])
def test_a_host_may_have_no_service_names(services: Replaced) -> None:
    facts = parse(services=services)
    assert facts.services == {}
    assert facts.gaps == ()


@pytest.mark.parametrize("services", [("denied", b""), ("error", b""), b"x 1/tcp\n" * 100_000])
def test_service_names_that_were_not_all_read_are_a_gap(services: Replaced) -> None:
    assert gaps_of(parse(services=services)) == {"services"}


def test_an_answer_without_sections_keeps_its_one_gap() -> None:
    gap = Gap(source="no-shell", reason="nologin")
    facts = parse_snapshot(Snapshot(sections={}, gaps=(gap,)), a_transcript())
    assert facts.gaps == (gap,)
    assert facts.coverage == ()
    assert facts.listeners == ()


def test_an_answer_of_nothing_is_never_complete() -> None:
    assert parse_snapshot(Snapshot(sections={}), a_transcript()).gaps
