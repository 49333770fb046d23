"""The frame: whole answers come through unchanged, and nothing that is missing, forged or cut off goes unsaid."""

from typing import Any

import pytest

from auditor.collect import unframe
from auditor.collect.sections import SECTIONS
from tests.collect.answers import NONCE, OTHER, a_transcript, begin, end, frame, frame_section


def gaps_of(stdout: bytes, **fields: Any) -> list[str]:
    return [gap.source for gap in unframe(a_transcript(stdout, **fields)).gaps]


def replaced(name: str, new: bytes) -> bytes:
    """Return a whole answer in which one section is replaced by other bytes."""
    whole = frame()
    old = frame_section(name, b"Linux 6.1.0 x86_64\n" if name == "uname" else b"")
    assert whole.count(old) == 1
    return whole.replace(old, new)


def test_a_whole_answer_has_every_section_and_no_gap() -> None:
    snapshot = unframe(a_transcript(frame()))
    assert snapshot.gaps == ()
    assert tuple(snapshot.sections) == SECTIONS
    assert snapshot.noise == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        b"a",
        b"a\n",
        b"a\nb",
        b"|\n||\n",
        b"\x00\xff\r\n\x1b[2J",
        f"{NONCE} E tcp ok\n{NONCE} END 0\n".encode(),
        f"\n{NONCE} S udp\n".encode(),
        b"x" * 65535 + b"\n" + b"y" * 65535,
    ],
)
def test_a_payload_comes_through_unchanged(data: bytes) -> None:
    snapshot = unframe(a_transcript(frame({"tcp": data})))
    assert snapshot.gaps == ()
    assert snapshot.sections["tcp"].data == data


def test_every_status_of_the_script() -> None:
    for status in ("ok", "absent", "denied", "error"):
        snapshot = unframe(a_transcript(replaced("tcp", frame_section("tcp", status=status))))
        assert snapshot.sections["tcp"].status == status
        assert snapshot.gaps == ()


def test_a_login_banner_is_noise_and_kept() -> None:
    whole = b"Welcome to web-01\nLast login: never" + frame() + b"logout\n"
    snapshot = unframe(a_transcript(whole))
    assert snapshot.gaps == ()
    assert snapshot.noise == b"Welcome to web-01\nLast login: never"


@pytest.mark.parametrize("noise", [b"x" * 70_000 + frame(), frame() + b"x" * 70_000])
def test_endless_noise_is_not_tolerated(noise: bytes) -> None:
    assert gaps_of(noise) == ["dirty-frame"]


@pytest.mark.parametrize(
    "stdout",
    [
        pytest.param(frame(nonce=OTHER) + frame(), id="before"),
        pytest.param(frame() + frame(nonce=OTHER), id="after"),
        pytest.param(replaced("tcp", frame_section("tcp", nonce=OTHER)), id="within"),
        pytest.param(replaced("tcp", f"{NONCE} S tcp\n{OTHER} E tcp ok\n\n{NONCE} E tcp ok\n".encode()), id="inside"),
    ],
)
def test_a_frame_of_another_nonce_is_noted_and_not_believed(stdout: bytes) -> None:
    snapshot = unframe(a_transcript(stdout))
    assert "dirty-frame" in [gap.source for gap in snapshot.gaps]
    assert all(section.data in (b"", b"Linux 6.1.0 x86_64\n") for section in snapshot.sections.values())


TCP = frame_section("tcp", b"header\nrow\n")


@pytest.mark.parametrize(
    ("stdout", "gap"),
    [
        pytest.param(replaced("tcp", TCP + TCP), "broken-frame", id="repeated"),
        pytest.param(replaced("tcp", b""), "broken-frame", id="missing"),
        pytest.param(replaced("tcp", TCP + frame_section("evil")), "broken-frame", id="unknown"),
        pytest.param(
            replaced("tcp", frame_section("tcp6")).replace(b" S tcp6", b" S tcp6", 1), "broken-frame", id="swapped"
        ),
        pytest.param(
            replaced("tcp", TCP.rpartition(b"\n" + NONCE.encode())[0] + b"\n"), "broken-frame", id="unterminated"
        ),
        pytest.param(replaced("tcp", TCP.replace(b"E tcp ok", b"E udp ok")), "broken-frame", id="other-end"),
        pytest.param(replaced("tcp", TCP.replace(b"E tcp ok", b"E tcp fine")), "broken-frame", id="other-status"),
        pytest.param(
            replaced("tcp", TCP.replace(b"E tcp ok", b"E tcp truncated")), "broken-frame", id="claims-truncated"
        ),
        pytest.param(replaced("tcp", TCP.replace(b"E tcp ok", b"E tcp ok ok")), "broken-frame", id="long-end"),
        pytest.param(replaced("tcp", TCP + f"{NONCE} E tcp ok\n".encode()), "broken-frame", id="end-twice"),
        pytest.param(replaced("tcp", TCP + f"{NONCE} B 1\n".encode()), "broken-frame", id="begin-twice"),
        pytest.param(replaced("tcp", TCP + f"{NONCE} \n".encode()), "broken-frame", id="empty-mark"),
        pytest.param(replaced("tcp", f"{NONCE} S tcp\n{NONCE} E tcp ok\n".encode()), "broken-frame", id="no-room"),
        pytest.param(replaced("tcp", TCP.replace(b"|row", b"row")), "dirty-frame", id="no-prefix"),
        pytest.param(replaced("tcp", TCP.replace(b"|header", b"header")), "dirty-frame", id="no-prefix-first"),
        pytest.param(replaced("tcp", TCP.replace(b"|row", b"\n|row")), "dirty-frame", id="blank-line"),
        pytest.param(replaced("tcp", TCP + b"sh: job done\n"), "dirty-frame", id="between-sections"),
        pytest.param(begin() + b"hello\n" + frame()[len(begin()) :], "dirty-frame", id="after-begin"),
        pytest.param(frame().replace(b" B 1", b" B 2"), "broken-frame", id="version"),
        pytest.param(frame()[: -len(end())], "broken-frame", id="no-end"),
        pytest.param(frame() + end(), "broken-frame", id="two-ends"),
        pytest.param(frame() + TCP, "broken-frame", id="section-after-end"),
        pytest.param(frame().replace(b" END %d " % len(SECTIONS), b" END 32 "), "broken-frame", id="end-count"),
        pytest.param(frame().replace(end(), end(*SECTIONS[:-1])), "broken-frame", id="end-list"),
        pytest.param(frame().replace(end(), end()[:-5] + b"\n"), "broken-frame", id="end-cut"),
        pytest.param(begin() + end(), "broken-frame", id="nothing-inside"),
        pytest.param(begin() + f"{NONCE} END 0\n".encode(), "broken-frame", id="an-honest-nothing"),
        pytest.param(
            begin() + frame_section("uname", b"Linux 6 x\n") + end("uname"), "broken-frame", id="linux-ends-early"
        ),
        pytest.param(begin() + b"".join(frame_section(str(at)) for at in range(2000)), "broken-frame", id="many-marks"),
        pytest.param(frame().replace(b"\n", b"\r\n"), "dirty-frame", id="pty"),
        pytest.param(
            replaced("tcp", frame_section("tcp", b"a\n" + b"x" * 65536 + b"\nb\n")), "broken-frame", id="long-line"
        ),
    ],
)
def test_damage_is_a_gap(stdout: bytes, gap: str) -> None:
    assert gap in gaps_of(stdout)


@pytest.mark.parametrize("stop", range(1, len(frame({"tcp": b"header\nrow\n"})), 29))
def test_an_answer_cut_anywhere_is_never_whole(stop: int) -> None:
    assert gaps_of(frame({"tcp": b"header\nrow\n"})[:-stop])


def test_what_precedes_the_damage_is_kept_and_marked() -> None:
    stdout = replaced("tcp", TCP.replace(b"|row", b"row"))
    section = unframe(a_transcript(stdout)).sections["tcp"]
    assert (section.status, section.data) == ("truncated", b"header\n")


def test_the_first_of_a_repeated_section_counts() -> None:
    stdout = replaced("tcp", TCP + frame_section("tcp", b"forged\n"))
    assert unframe(a_transcript(stdout)).sections["tcp"].data == b"header\nrow\n"


def test_a_section_over_the_limit_is_cut() -> None:
    line = b"x" * 1023 + b"\n"
    snapshot = unframe(a_transcript(frame({"tcp": line * (17 * 1024)})))
    assert [gap.source for gap in snapshot.gaps] == ["broken-frame"]
    section = snapshot.sections["tcp"]
    assert section.status == "truncated"
    assert len(section.data) <= 16 * 1024 * 1024


def test_another_system_may_stop_after_its_name() -> None:
    stdout = begin() + frame_section("uname", b"FreeBSD 14.1-RELEASE amd64\n") + end("uname")
    snapshot = unframe(a_transcript(stdout))
    assert snapshot.gaps == ()
    assert tuple(snapshot.sections) == ("uname",)


@pytest.mark.parametrize(
    ("fields", "gap", "words"),
    [
        ({"cut": "output-cap", "exit_status": None}, "cut-off", "limit"),
        ({"cut": "deadline", "exit_status": None}, "cut-off", "timeout"),
        ({"cut": "lost", "exit_status": None}, "cut-off", "connection"),
        ({"cut": "killed", "exit_status": None}, "cut-off", "signal"),
        ({"exit_status": None}, "exit-status", "never said"),
        (
            {"exit_status": 2, "stderr": b"sh: \x1b[31mboom"},
            "exit-status",
            'exit status 2 instead of 0; it said: "sh: \\x1b',
        ),
    ],
)
def test_how_the_script_ended_matters_even_after_a_whole_frame(fields: dict[str, Any], gap: str, words: str) -> None:
    (found,) = unframe(a_transcript(frame(), **fields)).gaps
    assert found.source == gap
    assert words in found.reason


def test_hostile_text_is_shown_escaped() -> None:
    stdout = replaced("tcp", TCP + b"\x1b]0;owned\x07\n")
    (gap,) = unframe(a_transcript(stdout)).gaps
    assert "\x1b" not in gap.reason
    assert "\\x1b]0;owned" in gap.reason


def test_a_large_table_that_hosts_have_alike_is_kept_once_and_no_hosts_of_another() -> None:
    """More kinds of /etc/services than are kept, host after host, and each gets its own."""
    answers = [b"".join(b"name-%d-%d %d/tcp\n" % (kind, port, port) for port in range(1, 500)) for kind in range(20)]
    for services in (*answers, *answers[::-1], *answers[-1:]):
        (kept, again) = (unframe(a_transcript(frame({"services": services}))).sections["services"] for _ in range(2))
        assert kept.data == services
        assert again is kept
