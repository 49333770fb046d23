"""The driven engine: what it leans on is there, what it sends at once, and what happens where that does not work."""

import fcntl
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import paramiko
import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, SshOptions
from auditor.transport import ssh_engine
from auditor.transport.accepted_keys import AcceptedKeys
from auditor.transport.host_keys import HostKeyCheck
from auditor.transport.known_hosts import KnownHosts
from auditor.transport.loop import Loop, pause
from auditor.transport.ssh import SshTransport
from auditor.transport.ssh_engine import DrivenEngine, find_obstacle
from auditor.transport.ssh_keys import KeyRing
from auditor.transport.ssh_wire import Wire
from tests.builders import NOW, a_host
from tests.servers import hostile
from tests.servers.hostile import Manners, serve, ssh_server
from tests.servers.sshd import run_sshd
from tests.transport.conftest import SCRIPT
from tests.transport.test_ssh_hostile import AFTER_HANDSHAKE, STREAMS, fail, reach, succeed

__all__ = ["reach"]  # a fixture
pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@pytest.fixture
def transport() -> SshTransport:
    return SshTransport(clock=lambda: NOW)


@pytest.fixture
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every server sent everything at once, as only those are whose ways are known."""
    monkeypatch.setattr(ssh_engine, "_PATIENT_SERVERS", ("SSH-",))


def test_installed_paramiko_is_known() -> None:
    assert find_obstacle() == ""


@pytest.mark.parametrize(
    ("owner", "name", "value", "said"),
    [
        (paramiko, "__version__", "99.0.0", "99.0.0 is not one of those known"),
        (paramiko.Transport, "_expect_packet", paramiko.Transport.close, "_expect_packet(self, *ptypes) is not there"),
        (ssh_engine, "LEANS_ON", {paramiko.Transport: {"_gone": "self"}}, "Transport._gone(self) is not there"),
        (ssh_engine, "LEANS_ON_STATE", ("no_such_state",), "keeps no no_such_state"),
    ],
)
def test_another_paramiko_is_told_and_the_public_path_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: object, name: str, value: object, said: str
) -> None:
    """Nothing is guessed: with any name gone or changed the run goes on, and says so."""
    monkeypatch.setattr(owner, name, value)
    assert said in find_obstacle.__wrapped__()
    monkeypatch.undo()
    monkeypatch.setattr("auditor.transport.ssh_connection.find_obstacle", lambda: said)
    monkeypatch.setattr("auditor.transport.ssh.find_obstacle", lambda: said)
    with run_sshd(tmp_path / "sshd") as sshd, SshTransport(clock=lambda: NOW) as public:
        assert public.run(sshd.host(), SCRIPT).stdout == b"hello\n"
        (problem,) = public.warnings
    assert said in problem.message


def test_real_server_gets_everything_in_three_flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version line and key lists; our share of the key exchange; new keys, login, channel, command and script.

    No thread is started for it but the watchdog. Counts, not times: this is what keeps the round trips low.
    """
    flights: list[int] = []
    send_all, start = Wire.send_all, threading.Thread.start
    started: list[str] = []

    def count(wire: Wire, data: bytes, deadline: object) -> None:
        flights.append(len(data))
        send_all(wire, data, deadline)  # type: ignore[arg-type]  # handed through

    def note(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    with run_sshd(tmp_path / "sshd") as sshd, SshTransport(clock=lambda: NOW) as transport:
        monkeypatch.setattr(Wire, "send_all", count)
        monkeypatch.setattr(threading.Thread, "start", note)
        assert transport.run(sshd.host(), SCRIPT).stdout == b"hello\n"
    assert len(flights) == 3
    assert started == ["netaudit-watchdog"]


@pytest.mark.usefixtures("in_haste")
@pytest.mark.parametrize("case", AFTER_HANDSHAKE)
def test_haste_changes_no_failure(transport: SshTransport, reach: Callable[[int], Host], case: str) -> None:
    """A login that is refused, a command that is not started: the same words as step by step, and one connection."""
    manners, phase, code = AFTER_HANDSHAKE[case]
    seen = hostile.Seen()
    with serve(ssh_server(manners, seen)) as server:
        assert fail(transport, reach(server.port)) == (phase, code)
    assert server.accepted == 1
    assert len(seen.logins) <= 1


@pytest.mark.usefixtures("in_haste")
@pytest.mark.parametrize("case", STREAMS)
def test_haste_changes_no_answer(transport: SshTransport, reach: Callable[..., Host], case: str) -> None:
    on_exec, stdout, status, cut = STREAMS[case]
    with serve(ssh_server(Manners(on_exec=on_exec))) as server:
        transcript = succeed(transport, reach(server.port, timeout=4.0))
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (stdout, status, cut)


def test_answer_in_small_pieces_is_whole(transport: SshTransport, reach: Callable[..., Host]) -> None:
    """Small pieces are left to gather, for longer and longer: nothing is forgotten over it."""
    pieces = [b"piece %d\n" % number for number in range(12)]

    def dribble(channel: paramiko.Channel, stop: threading.Event) -> None:
        for piece in pieces:
            channel.sendall(piece)
            time.sleep(0.1)
        channel.send_exit_status(0)
        channel.close()

    with serve(ssh_server(Manners(on_exec=dribble))) as server:
        transcript = succeed(transport, reach(server.port, timeout=8.0))
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"".join(pieces), 0, None)


@pytest.mark.usefixtures("in_haste")
def test_server_that_numbers_its_channels_differently(transport: SshTransport, reach: Callable[..., Host]) -> None:
    """It hangs up on a command for a channel it does not have, and is then asked step by step: once, and for good."""
    seen = hostile.Seen()
    with serve(ssh_server(Manners(on_exec=hostile.behave_well, first_channel=7), seen)) as server:
        transcript = succeed(transport, reach(server.port, timeout=10.0))
    assert (transcript.stdout, transcript.exit_status) == (b"hello\n", 0)
    assert server.accepted == 2
    assert seen.commands == [b"exec /bin/sh -s"]


def test_an_audit_stays_cheap(tmp_path: Path) -> None:
    """The calls of one connection, login and command, counted: no clock, no noise. Twice as many is a regression."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    with run_sshd(tmp_path / "sshd") as sshd, SshTransport(clock=lambda: NOW) as transport:
        host = sshd.host()
        transport.run(host, SCRIPT)  # reads the keys, and what is imported late
        sys.setprofile(count)
        try:
            transport.run(host, SCRIPT)
        finally:
            sys.setprofile(None)
    assert 1_000 < calls < 6_000


def test_flood_leaves_the_thread_to_others(
    transport: SshTransport, reach: Callable[[int], Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message costs more than its bytes: a turn is so many of them, not what fits into one read."""
    begun, over = threading.Event(), threading.Event()
    since, taken, most = 0, 0, 0
    step = DrivenEngine._step

    def count(engine: DrivenEngine) -> None:
        nonlocal since
        since += 1
        step(engine)

    def audit(host: Host | None) -> None:
        nonlocal since, taken, most
        if host is not None:
            try:
                assert fail(transport, host) == ("kex", "kex-flood")
            finally:
                over.set()
        while not over.is_set():
            begun.set()
            taken, most, since = taken + since, max(most, since), 0
            pause(0.0)

    monkeypatch.setattr(DrivenEngine, "_step", count)
    with serve(hostile.repeat(hostile.SHORT_IGNORE * 1000, first=hostile.VERSION)) as server:
        loop = Loop(audit, print)
        loop.submit(None)
        assert begun.wait(30)
        loop.submit(reach(server.port))
        assert over.wait(30)
        loop.end()
    assert taken > 1_000
    assert most <= 2 * ssh_engine._AT_ONCE


def test_what_other_programs_hold_holds_up_only_who_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that does not answer, and a file of accepted keys that another run has locked."""
    known = tmp_path / "state" / "known_hosts"
    known.parent.mkdir()
    monkeypatch.setattr("auditor.transport.ssh_agent._LIST_S", 1.0)
    order: SimpleQueue[str] = SimpleQueue()
    check = HostKeyCheck(a_host(), "accept-new", KnownHosts(()), accepted=AcceptedKeys(known))
    with_agent = a_host(agent=True, ssh=SshOptions(identity_agent=str(tmp_path / "agent")))
    works: dict[str, Callable[[], object]] = {
        "agent": lambda: KeyRing().credentials(with_agent),
        "file": lambda: check.admit(hostile.host_key()),
        "other": lambda: pause(0.2),
    }

    def work(name: str) -> None:
        with suppress(TransportError):
            works[name]()
        order.put(name)

    loop = Loop(work, print)
    with socket.socket(socket.AF_UNIX) as agent, known.with_name("known_hosts.lock").open("w") as lock:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in works:
            loop.submit(name)
        assert order.get(timeout=10) == "other"
        assert order.get(timeout=10) == "agent"
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert order.get(timeout=10) == "file"
    loop.end()
