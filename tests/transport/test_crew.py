"""Processes that share a fleet: the same answers as without them, whatever becomes of them."""

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from auditor.cli.clock import read_clock
from auditor.errors import TransportError
from auditor.model.host import Host, HostKeyPolicy, SecretRef, SshOptions
from auditor.model.transcript import Transcript
from auditor.transport import Script
from auditor.transport.crew import Crew, is_separable
from auditor.transport.crew_messages import Setting
from auditor.transport.loop import Loop
from auditor.transport.ssh import SshTransport
from auditor.transport.timeline import Step, watch
from tests.builders import a_host
from tests.processes import children_of, is_alive
from tests.servers.dead import refusing, stalling
from tests.servers.responder import Responder, run_responder
from tests.servers.sshd import make_key
from tests.transport.conftest import SCRIPT


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with run_responder() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, responder: Responder) -> Callable[..., Host]:
    """Return what makes a host of the responder, or of another port, by its address."""
    key, known = make_key(tmp_path / "key"), tmp_path / "known_hosts"
    known.write_text(responder.known_hosts_line())

    def make(address: str, **fields: object) -> Host:
        login = {"identity": (str(key),), "known_hosts": (str(known),), "timeout": 20.0}
        return responder.host(address, address, **{**login, **fields})

    return make


class Own:
    """The transport of this process: none is expected, or what it is asked is counted."""

    def __init__(self) -> None:
        self.opened = 0
        self.hosts: list[str] = []

    def open(self) -> "Own":
        self.opened += 1
        return self

    def run(self, host: Host, _script: Script) -> Transcript:
        self.hosts.append(host.name)
        raise TransportError("exec", "own", "by this process")


@pytest.fixture
def own() -> Own:
    return Own()


@pytest.fixture
def crew(own: Own) -> Iterator[Crew]:
    crew = Crew(2, Setting(read_clock, "strict"), own.open)
    yield crew
    crew.close()


def children() -> set[int]:
    """Return the processes of crews that this one started and that live."""
    return {pid for pid in children_of(os.getpid()) if is_alive(pid) and is_mate(pid)}


def is_mate(pid: int) -> bool:
    with suppress(OSError):  # it has just ended
        return b"crew_mate" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def outcome_of(crew: Crew, host: Host) -> Transcript | TransportError:
    try:
        return crew.run(host, SCRIPT)
    except TransportError as error:
        return error


class Outcomes:
    """Runs hosts at the same time, each in a thread of its own."""

    def __init__(self, crew: Crew, hosts: list[Host]) -> None:
        self._outcomes: dict[str, Transcript | TransportError] = {}
        self._threads = [threading.Thread(target=self._run, args=(crew, host)) for host in hosts]
        for thread in self._threads:
            thread.start()

    def _run(self, crew: Crew, host: Host) -> None:
        self._outcomes[host.name] = outcome_of(crew, host)

    @property
    def known(self) -> dict[str, Transcript | TransportError]:
        """What has come of them so far."""
        return self._outcomes.copy()

    def wait(self) -> dict[str, Transcript | TransportError]:
        for thread in self._threads:
            thread.join(60)
        return self._outcomes


@pytest.mark.usefixtures("nothing_left_behind")
def test_same_answer_as_without(site: Callable[..., Host], own: Own) -> None:
    """Answers and failures are those of the transport itself, and afterwards nothing is left."""
    crew = Crew(2, Setting(read_clock, "strict"), own.open)
    host = site("127.60.0.1", ssh=SshOptions(host_key_algorithms=("ssh-ed25519",)))
    with refusing() as port, SshTransport(clock=read_clock) as alone:
        refused = site("127.60.0.2", port=port)
        nobody = site("127.60.0.3", user=None)
        theirs, ours = outcome_of(crew, host), alone.run(host, SCRIPT)
        told = [str(outcome_of(crew, each)) for each in (refused, nobody)]
        with pytest.raises(TransportError) as first:
            alone.run(refused, SCRIPT)
        with pytest.raises(TransportError) as second:
            alone.run(nobody, SCRIPT)
    assert isinstance(theirs, Transcript)
    own_port = rb":[0-9A-F]{4} 01 |127\.0\.0\.1 \d+ "
    assert re.sub(own_port, b"", theirs.stdout) == re.sub(own_port, b"", ours.stdout)
    assert (theirs.session, theirs.exit_status, theirs.nonce) == (ours.session, ours.exit_status, ours.nonce)
    assert ours.started_at <= theirs.started_at <= read_clock() or theirs.started_at <= ours.started_at
    assert told == [str(first.value), str(second.value)]
    crew.close()
    assert not children()
    assert (crew.warnings, own.opened) == ((), 0)


@pytest.mark.parametrize(
    ("policy", "fields", "separable"),
    [
        ("strict", {}, True),
        ("strict", {"agent": True, "sudo": True}, True),
        ("ignored", {}, True),
        ("accept-new", {}, False),
        ("strict", {"host_keys": "accept-new"}, False),
        ("strict", {"ssh": SshOptions(strict_host_key_checking="accept-new")}, False),
        ("strict", {"jump": ("bastion",)}, False),
        ("strict", {"ssh": SshOptions(proxy_command="nc %h %p")}, False),
        ("strict", {"password": SecretRef(source="env", name="PASSWORD")}, False),
        ("strict", {"client": "openssh"}, False),
        ("strict", {"connection": "local"}, False),
    ],
)
def test_who_may_be_asked_elsewhere(policy: HostKeyPolicy, fields: dict[str, Any], separable: bool) -> None:
    """Nothing that counts over the whole fleet, shares a connection, or writes a file leaves this process."""
    assert is_separable(a_host(user="audit", **fields), policy) is separable


def test_what_is_shared_stays_here(site: Callable[..., Host], crew: Crew, own: Own) -> None:
    """One transport of this process serves all of it; no other is started for that."""
    for name in ("a", "b"):
        outcome_of(crew, site(name, password=SecretRef(source="env", name="PASSWORD")))
    assert (own.hosts, own.opened, children()) == (["a", "b"], 1, set())


def test_phases_are_told(site: Callable[..., Host], crew: Crew) -> None:
    """As they are where no other process is: begin and end in order, with notes and times of the same clock."""
    told: list[tuple[str, bool]] = []
    ended: list[Step] = []

    class Notes:
        def begin(self, host: Host, step: Step) -> None:
            assert (host.name, step.notes) == (name, [])
            told.append((step.phase, False))

        def end(self, _host: Host, step: Step) -> None:
            told.append((step.phase, True))
            ended.append(step)

    before, name = time.monotonic(), "127.60.1.1"
    with watch(host := site(name), Notes()):
        crew.run(host, SCRIPT)
    phases = ["dns", "tcp", "banner", "kex", "hostkey", "auth", "exec", "read"]
    assert [phase for phase, over in told if over] == phases
    assert sorted(told, key=lambda each: phases.index(each[0])) == told, "one after the other"
    assert all(step.began is not None and before <= step.began <= time.monotonic() for step in ended)
    assert next(step for step in ended if step.phase == "tcp").notes == [f"{name}:{host.port}"]
    name = "127.60.1.2"
    with refusing() as port, watch(refused := site(name, port=port), Notes()):
        error = outcome_of(crew, refused)
    assert str(ended[-1].error) == str(error)


def test_a_phase_that_lasts_is_told_while_it_does(site: Callable[..., Host], crew: Crew) -> None:
    begun = threading.Event()

    class Notes:
        def begin(self, _host: Host, step: Step) -> None:
            if step.phase == "banner":
                begun.set()

        def end(self, _host: Host, step: Step) -> None: ...

    with stalling() as port:
        host = site("127.60.2.1", port=port, timeout=2.0)

        def ask() -> None:
            with watch(host, Notes()):
                outcome_of(crew, host)

        thread = threading.Thread(target=ask)
        thread.start()
        assert begun.wait(20)
        assert thread.is_alive()
        thread.join()


def test_killed(site: Callable[..., Host], crew: Crew, own: Own) -> None:
    """What was in flight fails, and says why; the others go on, and when there is none any more, this process."""
    with stalling() as port:
        stuck = [site(f"127.60.3.{number}", port=port, timeout=60.0) for number in range(1, 9)]
        asked = Outcomes(crew, stuck)
        wait_for(lambda: sum(map(count_sockets, children())) >= 8)
        first, second = children()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(asked.known) == 4)  # what the first had in flight
        assert isinstance(outcome_of(crew, site("127.60.3.100")), Transcript)
        os.kill(second, signal.SIGKILL)
        lost = asked.wait()
    message = "a process that talks to hosts has ended before its time (killed by signal 9)"
    assert [str(each) for each in lost.values()] == [f"read/process-died: {message}"] * 8
    assert str(outcome_of(crew, site("127.60.3.101"))) == "exec/own: by this process"
    assert [problem.message for problem in crew.warnings] == [message]


def test_hanging(site: Callable[..., Host], own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that does not answer in time is ended: no host waits for ever."""
    monkeypatch.setattr("auditor.transport.crew._PATIENCE_S", 0.5)
    crew = Crew(1, Setting(read_clock, "strict"), own.open)
    assert isinstance(outcome_of(crew, site("127.60.4.1")), Transcript)
    (pid,) = children()
    os.kill(pid, signal.SIGSTOP)
    asked = Outcomes(crew, [site(f"127.60.4.{number}", timeout=1.0) for number in range(2, 40)])
    codes = {each.code for each in asked.wait().values() if isinstance(each, TransportError)}
    crew.close()
    assert codes == {"process-died"}
    assert not children()


def test_hanging_with_more_orders_than_a_pipe_takes(
    site: Callable[..., Host], own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the pipe: where hosts share a thread, none would ever know that its time is up."""
    monkeypatch.setattr("auditor.transport.crew._PATIENCE_S", 0.5)
    crew = Crew(1, Setting(read_clock, "strict"), own.open)
    assert isinstance(outcome_of(crew, site("127.60.9.1")), Transcript)
    (pid,) = children()
    os.kill(pid, signal.SIGSTOP)
    script = replace(SCRIPT, text=SCRIPT.text + b"#" * 10_000)
    done: SimpleQueue[str] = SimpleQueue()

    def ask(host: Host) -> None:
        try:
            crew.run(host, script)
        except TransportError as error:
            done.put(error.code)

    loop = Loop(ask, print)
    for number in range(2, 40):
        loop.submit(site(f"127.60.9.{number}", timeout=1.0))
    codes = Counter(done.get(timeout=20) for _ in range(2, 40))
    loop.end()
    crew.close()
    assert codes["process-died"] + codes["own"] == 38
    assert codes["process-died"]
    assert codes["own"]  # it never heard of them
    assert not children()


@pytest.mark.parametrize("orders", [0, 40])
def test_closed_while_hanging(
    site: Callable[..., Host], own: Own, monkeypatch: pytest.MonkeyPatch, orders: int
) -> None:
    """Also with more orders on their way than the pipe takes: the run ends all the same, and nobody is left."""
    monkeypatch.setattr("auditor.transport.crew._FAREWELL_S", 0.5)
    crew = Crew(1, Setting(read_clock, "strict"), own.open)
    assert isinstance(outcome_of(crew, site("127.60.9.1")), Transcript)
    (pid,) = children()
    os.kill(pid, signal.SIGSTOP)
    asked = Outcomes(crew, [site(f"127.60.9.{number}", labels={"x": "y" * 9999}) for number in range(2, 2 + orders)])
    time.sleep(0.5)
    crew.close()
    assert not children()
    assert len(asked.wait()) == orders


def test_not_to_be_started(site: Callable[..., Host], crew: Crew, own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then this process does it all."""
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    assert str(outcome_of(crew, site("127.60.5.1"))) == "exec/own: by this process"
    (problem,) = crew.warnings
    assert problem.message.startswith("fewer processes than wanted: cannot start /nonexistent/python")


def test_dies_at_its_start(site: Callable[..., Host], crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that never says a word: the same as one that has ended."""
    monkeypatch.setattr("auditor.transport.crew._PROGRAM", "raise SystemExit(3)")
    told = {str(outcome_of(crew, site(f"127.60.6.{number}"))) for number in range(1, 9)}
    ended = "read/process-died: a process that talks to hosts has ended before its time (exit status 3)"
    assert told <= {ended, "exec/own: by this process"}
    assert "exec/own: by this process" in told


def test_has_nothing_it_does_not_need(site: Callable[..., Host], crew: Crew, tmp_path: Path) -> None:
    """Its own pipes and connections are all it has open; its environment and command line hold nothing new."""
    with (tmp_path / "open").open("w") as file, stalling() as port:
        os.set_inheritable(file.fileno(), True)
        asked = Outcomes(crew, [site(f"127.60.7.{number}", port=port, timeout=3.0) for number in (1, 2)])
        wait_for(lambda: sum(map(count_sockets, children())) >= 2)
        for pid in children():
            links = list_open(pid)
            assert all(re.match(r"pipe:|socket:|/dev/null$|anon_inode:|/dev/urandom$", link) for link in links), links
            assert sum(link.startswith("pipe:") for link in links) <= 6
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert set(environ) <= {*(b"%s=%s" % each for each in os.environb.items()), b""}
            assert os.getpgid(pid) == pid != os.getpgid(0)
            assert str(tmp_path).encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        asked.wait()


def test_warnings_of_known_hosts(site: Callable[..., Host], own: Own, tmp_path: Path) -> None:
    """Each line that could not be read is told once, however many processes read it."""
    known = tmp_path / "known_hosts"
    crew = Crew(2, Setting(read_clock, "strict"), own.open)
    first = site("127.60.8.1")
    known.write_text(f"{known.read_text()}nonsense\n")
    assert all(isinstance(each, Transcript) for each in Outcomes(crew, [first, site("127.60.8.2")]).wait().values())
    crew.close()
    assert [(problem.file, problem.line) for problem in crew.warnings] == [(str(known), 2)]


def list_open(pid: int) -> list[str]:
    """Return what a process has open, but for what it closes just now."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return found


def count_sockets(pid: int) -> int:
    return sum(link.startswith("socket:") for link in list_open(pid))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come")
