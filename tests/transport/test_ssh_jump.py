"""Jump hosts: real sshds on the way, whose logs tell how often they were called on; many hosts behind them."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, SshOptions
from auditor.transport import Script
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.requirements import require
from tests.servers import hostile
from tests.servers.responder import Responder, run_responder
from tests.servers.sshd import Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT


@pytest.fixture(scope="module")
def fleet() -> Iterator[Responder]:
    """A host at every loopback address."""
    with run_responder() as responder:
        yield responder


pytestmark = pytest.mark.usefixtures("fleet", "nothing_left_behind")


def through(*jumps: Host) -> SshTransport:
    return SshTransport(clock=lambda: NOW, jump_hosts={jump.name: jump for jump in jumps})


def script(text: str) -> Script:
    return Script(SCRIPT.nonce, f"{{ {text}\n}}\n".encode())


def behind(fleet: Responder, folder: Path, count: int, *jumps: str, first: int = 1, **fields: Any) -> list[Host]:
    """Return so many hosts of the fleet, to be reached through `jumps`."""
    known = folder / "fleet_known_hosts"
    known.write_text(fleet.known_hosts_line())
    key = folder / "fleet_key"
    if not key.exists():
        make_key(key)
    options = {"identity": (str(key),), "known_hosts": (str(known),), "jump": jumps, "timeout": 20.0, **fields}
    return [fleet.host(f"host-{number}", f"127.9.0.{number}", **options) for number in range(first, first + count)]


def run_all(transport: SshTransport, hosts: list[Host], at_once: int = 10) -> list[str]:
    """Run on all hosts; return for each the address it says it has, or `phase/code: message`."""

    def run(host: Host) -> str:
        try:
            answer = transport.run(host, SCRIPT).stdout
        except TransportError as error:
            return str(error)
        found = re.search(rb"^\|(host-[0-9-]+)$", answer, re.MULTILINE)
        return found[1].decode() if found else repr(answer[:100])

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(run, hosts))


def names(hosts: list[Host]) -> list[str]:
    return [f"host-{host.address.replace('.', '-')}" for host in hosts]


def connections(sshd: Sshd) -> int:
    return sshd.log_text().count("Connection from ")


def end_sessions(sshd: Sshd) -> None:
    """Kill the processes that serve connections; the listener lives on."""
    for pid in Path(f"/proc/{sshd.pid}/task/{sshd.pid}/children").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def wait_until_dead(transport: SshTransport) -> None:
    """Wait until the connection of the only jump host has noticed that it is over."""
    (way,) = transport._bastions._ways.values()
    end = time.monotonic() + 5
    while way.link is not None and way.link.alive and time.monotonic() < end:
        time.sleep(0.02)


def fail(transport: SshTransport, host: Host) -> TransportError:
    with pytest.raises(TransportError) as failure:
        transport.run(host, SCRIPT)
    return failure.value


def test_fifty_hosts_share_one_connection(fleet: Responder, tmp_path: Path) -> None:
    """Its log shows one; every host answers for itself."""
    hosts = behind(fleet, tmp_path, 50, "bastion")
    with run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        assert run_all(transport, hosts, at_once=20) == names(hosts)
        assert (connections(bastion), bastion.login_attempts()) == (1, 1)


def test_chain_shares_every_part(fleet: Responder, tmp_path: Path) -> None:
    """Hosts behind a > b, and others behind a alone: one connection to each."""
    far, near = behind(fleet, tmp_path, 8, "a", "b"), behind(fleet, tmp_path, 8, "a", first=100)
    with run_sshd(tmp_path / "a") as a, run_sshd(tmp_path / "b") as b, through(a.host("a"), b.host("b")) as transport:
        assert run_all(transport, [*far, *near]) == names([*far, *near])
        assert (connections(a), connections(b)) == (1, 1)


def test_jump_host_has_a_jump_host_of_its_own(fleet: Responder, tmp_path: Path) -> None:
    hosts = behind(fleet, tmp_path, 3, "b")
    with (
        run_sshd(tmp_path / "a") as a,
        run_sshd(tmp_path / "b") as b,
        through(a.host("a"), b.host("b", jump=("a",))) as transport,
    ):
        assert run_all(transport, hosts) == names(hosts)
        assert (connections(a), connections(b)) == (1, 1)


def test_connection_that_died_is_made_once_more(fleet: Responder, tmp_path: Path) -> None:
    """Then no more: the hosts that are left fail at once, in the same words."""
    require("root")
    hosts = behind(fleet, tmp_path, 12, "bastion")
    with run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        assert run_all(transport, hosts[:4]) == names(hosts[:4])
        end_sessions(bastion)
        wait_until_dead(transport)
        assert run_all(transport, hosts[4:8]) == names(hosts[4:8])
        assert connections(bastion) == 2
        end_sessions(bastion)
        wait_until_dead(transport)
        told = run_all(transport, hosts[8:])
        assert connections(bastion) == 2
    assert Counter(told) == {"tcp/jump-failed: the connection to the jump host bastion did not last: it broke": 4}


def test_jump_host_that_goes_down_for_good(fleet: Responder, tmp_path: Path) -> None:
    hosts = behind(fleet, tmp_path, 12, "bastion")
    with through_a_bastion_that_ends(tmp_path) as (bastion, transport, end):
        assert run_all(transport, hosts[:4]) == names(hosts[:4])
        end()
        wait_until_dead(transport)
        told = run_all(transport, hosts[4:])
    message = (
        f"tcp/jump-failed: the jump host bastion failed: 127.0.0.1:{bastion.port}: Connection refused (tcp-refused)"
    )
    assert Counter(told) == {message: 8}


@contextlib.contextmanager
def through_a_bastion_that_ends(folder: Path) -> Iterator[tuple[Sshd, SshTransport, Any]]:
    require("root")
    with run_sshd(folder / "a") as bastion, through(bastion.host("bastion")) as transport:

        def end() -> None:
            children = Path(f"/proc/{bastion.pid}/task/{bastion.pid}/children").read_text().split()
            for pid in (bastion.pid, *map(int, children)):
                os.kill(pid, signal.SIGKILL)

        yield bastion, transport, end


def test_hosts_under_way_when_the_jump_host_dies(tmp_path: Path) -> None:
    """They were in the middle of a login: what they say is about the jump host, and the same for all."""
    with (
        hostile.serve(hostile.say_and_stay(hostile.VERSION)) as stuck,
        through_a_bastion_that_ends(tmp_path) as (bastion, transport, end),
        ThreadPoolExecutor(5) as pool,
    ):
        hosts = [bastion.host(f"t{number}", port=stuck.port, jump=("bastion",), timeout=10.0) for number in range(5)]
        failures = [pool.submit(fail, transport, host) for host in hosts]
        while stuck.accepted < 5:
            time.sleep(0.02)
        end()
        told = Counter(str(failure.result()) for failure in failures)
    assert told == {"tcp/jump-failed: the connection to the jump host bastion did not last: it broke": 5}


@pytest.mark.parametrize(
    ("damage", "phase", "word"), [("known_hosts", "hostkey", "hostkey-unknown"), ("key", "auth", "auth-refused")]
)
def test_jump_host_that_is_not_to_be_had_is_asked_once(
    fleet: Responder, tmp_path: Path, damage: str, phase: str, word: str
) -> None:
    """Ten hosts behind it, one refusal: nothing is tried again, and no host behind it hears of us."""
    hosts = behind(fleet, tmp_path, 10, "bastion")
    with run_sshd(tmp_path / "a") as bastion:
        if damage == "known_hosts":
            bastion.known_hosts.write_text("")
            jump = bastion.host("bastion")
        else:
            jump = bastion.host("bastion", identity=(str(make_key(tmp_path / "stranger")),))
        with through(jump) as transport:
            told = Counter(run_all(transport, hosts))
        assert bastion.wait_for_close()
        assert (connections(bastion), bastion.login_attempts()) == (1, int(damage == "key"))
    ((message, count),) = told.items()
    assert count == 10
    assert message.startswith(f"{phase}/jump-failed: the jump host bastion failed: ")
    assert message.endswith(f"({word})")


def test_jump_host_that_does_not_answer(fleet: Responder, tmp_path: Path) -> None:
    """It is tried twice, not once for each host; each host's own time still holds."""
    hosts = behind(fleet, tmp_path, 6, "bastion", timeout=2.0)
    with hostile.serve(hostile.silent) as silent, run_sshd(tmp_path / "a") as bastion:
        started = time.monotonic()
        with through(bastion.host("bastion", port=silent.port)) as transport:
            told = run_all(transport, hosts)
        assert time.monotonic() - started < 5
        assert silent.accepted <= 2
    assert all(message.startswith(("tcp/jump-failed: ", "banner/jump-failed: ")) for message in told)


def test_wrong_key_of_the_target(tmp_path: Path) -> None:
    with run_sshd(tmp_path / "a") as bastion, run_sshd(tmp_path / "b") as target:
        target.known_hosts.write_text(f"[127.0.0.1]:{target.port} {bastion.public_key()}\n")
        with through(bastion.host("bastion")) as transport:
            error = fail(transport, target.host(jump=("bastion",)))
        assert (error.phase, error.code) == ("hostkey", "hostkey-mismatch")
        assert target.wait_for_close()
        assert (bastion.login_attempts(), target.login_attempts()) == (1, 0)


def test_each_host_is_told_its_own_reason(fleet: Responder, tmp_path: Path) -> None:
    """Refused, out of reach, alive: at the same time, through one jump host."""
    dead = behind(fleet, tmp_path, 6, "bastion", port=hostile.unused_port())
    alive = behind(fleet, tmp_path, 6, "bastion")
    away = [host.model_copy(update={"address": "255.255.255.255"}) for host in alive]  # no route leads there
    mixed = [host for three in zip(dead, away, alive, strict=True) for host in three]
    with run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        told = run_all(transport, mixed, at_once=18)
    assert told[2::3] == names(alive)
    for host, message in zip(dead, told[0::3], strict=True):
        where = f"{host.address}:{host.port} through the jump host bastion"
        assert message == f"tcp/tcp-refused: {where}: Connection refused"
    assert {message.partition(" ")[0] for message in told[1::3]} == {"tcp/jump-failed:"}
    assert all(f"255.255.255.255:{fleet.port} through the jump host bastion: " in message for message in told[1::3])


@pytest.mark.parametrize("option", ["AllowTcpForwarding no", "PermitOpen 127.0.0.1:1"])
def test_jump_host_that_forwards_nothing(fleet: Responder, tmp_path: Path, option: str) -> None:
    (host,) = behind(fleet, tmp_path, 1, "bastion")
    with run_sshd(tmp_path / "a", [option]) as bastion, through(bastion.host("bastion")) as transport:
        error = fail(transport, host)
    assert (error.phase, error.code) == ("tcp", "jump-failed")
    assert "administratively prohibited" in error.message
    assert "PermitOpen" in error.hint


def test_large_answer(tmp_path: Path) -> None:
    """What a target sends counts as the bastion's traffic too, and the bastion changes keys meanwhile."""
    with (
        run_sshd(tmp_path / "a", ["RekeyLimit 1M"]) as bastion,
        run_sshd(tmp_path / "b") as target,
        through(bastion.host("bastion")) as transport,
    ):
        transcript = transport.run(target.host(jump=("bastion",)), script("head -c 4000000 /dev/zero"))
    assert (len(transcript.stdout), transcript.exit_status, transcript.cut) == (4_000_000, 0, None)


def test_many_large_answers_through_one_connection(tmp_path: Path) -> None:
    """What may come through grows with the hosts behind it."""
    from auditor.transport import MEBIBYTE, Limits

    with run_sshd(tmp_path / "a") as bastion, run_sshd(tmp_path / "b") as target:
        small = Limits(stdout=MEBIBYTE)
        hops = {"bastion": bastion.host("bastion")}
        with SshTransport(clock=lambda: NOW, jump_hosts=hops, limits=small) as transport:
            flood = script("head -c 2000000 /dev/zero")
            hosts = [target.host(f"t{number}", jump=("bastion",)) for number in range(4)]
            with ThreadPoolExecutor(4) as pool:
                cuts = [transcript.cut for transcript in pool.map(lambda host: transport.run(host, flood), hosts)]
        assert connections(bastion) == 1
    assert cuts == ["output-cap"] * 4


def test_bastion_dies_in_mid_stream(tmp_path: Path) -> None:
    """What had come by then is kept, and is not taken for the whole."""
    with run_sshd(tmp_path / "a") as bastion, run_sshd(tmp_path / "b") as target:
        # The target's peer is the bastion's process for this connection.
        text = (
            "echo first; sleep 0.3; set -- $SSH_CONNECTION; "
            "kill -9 $(ss -Htnp state established \"sport = :$2\" | sed 's/.*pid=\\([0-9]*\\).*/\\1/'); sleep 5"
        )
        require("root", "ss")
        with through(bastion.host("bastion")) as transport:
            transcript = transport.run(target.host(jump=("bastion",)), script(text))
    assert (transcript.stdout, transcript.cut) == (b"first\n", "lost")


def test_silent_target_behind_a_bastion(fleet: Responder, tmp_path: Path) -> None:
    """Its time runs out; the connection that it shares goes on."""
    (other,) = behind(fleet, tmp_path, 1, "bastion")
    with run_sshd(tmp_path / "a") as bastion, hostile.serve(hostile.silent) as target:
        host = bastion.host("target", port=target.port, jump=("bastion",), timeout=2.0)
        with through(bastion.host("bastion")) as transport:
            started = time.monotonic()
            error = fail(transport, host)
            assert time.monotonic() - started <= 3.0
            assert run_all(transport, [other]) == names([other])
        assert connections(bastion) == 1
    assert (error.phase, error.code) == ("banner", "banner-timeout")


def test_host_that_cannot_be_reached_in_time(fleet: Responder, tmp_path: Path) -> None:
    """The bastion waits for it much longer than we do; nobody else does."""
    from tests.transport.test_ssh_dial import black_hole

    (other,) = behind(fleet, tmp_path, 1, "bastion")
    with black_hole() as silent, run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        host = bastion.host("target", port=silent.sockaddr[1], jump=("bastion",), timeout=2.0)
        started = time.monotonic()
        error = fail(transport, host)
        assert time.monotonic() - started <= 3.0
        assert run_all(transport, [other]) == names([other])
        assert connections(bastion) == 1
    assert (error.phase, error.code) == ("tcp", "tcp-timeout")
    assert f"127.0.0.1:{host.port} through the jump host bastion: no answer within " in error.message


@contextlib.contextmanager
def stopped(sshd: Sshd) -> Iterator[None]:
    """Stop the processes that serve connections, for a while."""
    children = subprocess.run(["pgrep", "-P", str(sshd.pid)], capture_output=True, text=True, check=True)
    processes = [int(pid) for pid in children.stdout.split()]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_bastion_that_hangs(fleet: Responder, tmp_path: Path) -> None:
    """Stopped in mid run, it answers nothing any more: every host ends in time all the same."""
    require("root")
    hosts = behind(fleet, tmp_path, 3, "bastion", timeout=2.0)
    with run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        assert run_all(transport, hosts[:1]) == names(hosts[:1])
        with stopped(bastion):
            started = time.monotonic()
            told = run_all(transport, hosts[1:])
            assert time.monotonic() - started <= 4.0
    assert all(message.startswith("tcp/tcp-timeout: ") for message in told)


def test_bastion_that_hangs_is_given_up_where_there_is_time(fleet: Responder, tmp_path: Path) -> None:
    """It does not answer when it is spoken to, either: the next host gets a new connection."""
    require("root")
    patience = SshOptions(connect_timeout=0.5)
    hosts = behind(fleet, tmp_path, 3, "bastion", timeout=15.0, ssh=patience)
    with run_sshd(tmp_path / "a") as bastion, through(bastion.host("bastion")) as transport:
        assert run_all(transport, hosts[:1]) == names(hosts[:1])
        with stopped(bastion):
            (told,) = run_all(transport, hosts[1:2])
            assert run_all(transport, hosts[2:]) == names(hosts[2:])
        assert connections(bastion) == 2
    assert told == "tcp/jump-failed: the connection to the jump host bastion did not last: it broke"


def test_loop_and_stranger(tmp_path: Path) -> None:
    with run_sshd(tmp_path / "a") as bastion:
        with through(bastion.host("a", jump=("b",)), bastion.host("b", jump=("a",))) as transport:
            assert "loop" in fail(transport, bastion.host(jump=("a",))).message
            assert "not in the inventory" in fail(transport, bastion.host(jump=("zz",))).message
        assert "Connection from" not in bastion.log_text()
