"""A fleet shared among processes, through the whole command: the same report, and an end whatever ends it."""

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.cli.processes import choose_procs
from auditor.model.host import Host
from tests.builders import a_host
from tests.cli.site import netaudit
from tests.cli.test_fleet import GRACE_S, JOBS, Site, addresses, seen_ports, wait_for_connections
from tests.processes import children_of, is_alive
from tests.servers.dead import refusing, stalling
from tests.servers.responder import USER, Responder, ports_of, run_responder
from tests.servers.sshd import make_key, run_sshd


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with run_responder() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, responder: Responder) -> Site:
    return Site(tmp_path, responder)


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < end, "they outlive their parent"
        time.sleep(0.02)


def codes(site: Site) -> Counter[str]:
    return Counter(host["error"]["code"] if host["error"] else host["status"] for host in site.report["hosts"])


def test_number_of_processes_leaves_no_trace(site: Site, responder: Responder, tmp_path: Path) -> None:
    """Straight hosts, dead ones, and hosts behind a jump host, which only one process may talk to, together.

    But for the digest of the tables, in which our own connection stands with its port.
    """
    straight, inner = addresses(40, 43), addresses(10, 41)
    with refusing() as refused, run_sshd(tmp_path / "edge") as edge:
        (tmp_path / "ssh_config").write_text(
            f"Host host-127.41.*\n  ProxyJump edge\n"
            f"Host edge\n  HostName 127.0.0.1\n  Port {edge.port}\n  User {edge.user}\n"
            f"  IdentityFile {edge.key}\n  UserKnownHostsFile {edge.known_hosts}\n"
        )
        ports = dict.fromkeys([*straight, *inner], responder.port)
        ports |= dict.fromkeys(addresses(10, 44), refused)
        reports = set()
        for runs, procs in enumerate((1, 2, 4), 1):
            arguments = ["--ssh-config", "ssh_config", "--procs", procs]
            with site.start(ports, *arguments, timeout=20, SOURCE_DATE_EPOCH="1767323045") as process:
                _, errors = process.communicate(timeout=120)
            assert process.returncode == 3, errors
            assert edge.log_text().count("Connection from ") == runs
            reports.add(re.sub(rb'"source":"tcp",.*', b"", site.report_bytes))
    assert len(reports) == 1
    hosts = {host["address"]: host for host in site.report["hosts"]}
    assert {address: seen_ports(hosts[address]) for address in (*straight, *inner)} == {
        address: tuple(sorted(ports_of(address))) for address in (*straight, *inner)
    }


def test_locked_key_and_relative_paths(site: Site, responder: Responder, tmp_path: Path) -> None:
    """The other processes find files and secrets where this one would: in its folder and in its environment."""
    make_key(tmp_path / "locked", "ed25519", "open sesame")
    login = {"user": USER, "identity": "locked", "passphrase": "env:PASSPHRASE", "known_hosts": "known_hosts"}
    hosts = {address: {"port": responder.port} for address in addresses(20, 45)}
    (tmp_path / "inventory.yaml").write_text(json.dumps({"version": 1, "defaults": login, "hosts": hosts}))
    command = ["run", "inventory.yaml", "--procs", 3, "-q", "-o", "json=report.json"]
    result = netaudit(*command, cwd=tmp_path, PASSPHRASE="open sesame")
    assert result.returncode == 0, result.stderr
    assert codes(site) == {"compliant": 20}
    assert netaudit(*command, cwd=tmp_path, PASSPHRASE="open barley").returncode == 3
    assert codes(site) == {"key-encrypted": 20}


def test_killed_process(site: Site, responder: Responder) -> None:
    """What it had in flight is unreachable, never compliant; all others are as they are, and the run ends by itself."""
    living = dict.fromkeys(addresses(300, 46), responder.port)
    with stalling() as port:
        stuck = dict.fromkeys(addresses(JOBS // 2, 47), port)
        with site.start({**stuck, **living}, "--procs", 3, dead=[port]) as process:
            wait_for_connections(port, 1)
            victim, other = children_of(process.pid)
            wait_for_connections(port, 1, victim)
            os.kill(victim, signal.SIGKILL)
            _, errors = process.communicate(timeout=90)
        assert process.returncode == 3, errors
    found = codes(site)
    assert found.total() == 300 + JOBS // 2
    assert found["process-died"] > 0
    assert set(found) == {"process-died", "compliant", "banner-timeout"}
    assert errors.count("a process that talks to hosts has ended before its time (killed by signal 9)") == 1
    assert not is_alive(other)


def test_all_processes_killed(site: Site, responder: Responder) -> None:
    """The one that is left does the rest."""
    with stalling() as port:
        ports = {**dict.fromkeys(addresses(JOBS, 48), port), **dict.fromkeys(addresses(200, 49), responder.port)}
        with site.start(ports, "--procs", 3, dead=[port]) as process:
            wait_for_connections(port, 1)
            for child in children_of(process.pid):
                os.kill(child, signal.SIGKILL)
            _, errors = process.communicate(timeout=90)
        assert process.returncode == 3, errors
    found = codes(site)
    assert found.total() == 200 + JOBS
    assert found["compliant"] >= 100
    assert set(found) <= {"process-died", "compliant", "banner-timeout"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(site: Site, responder: Responder, number: signal.Signals, code: int) -> None:
    """As with one process: three seconds for what is in flight, the rest is told as what it is, and nobody is left.

    Also when the signal reaches every process, as one to a whole service does.
    """
    with stalling() as port, site.start(dict.fromkeys(addresses(200, 50), port), "--procs", 3, timeout=60) as process:
        wait_for_connections(port, JOBS)
        children = children_of(process.pid)
        assert len(children) == 2
        for pid in (*children, process.pid):
            os.kill(pid, number)
        began = time.monotonic()
        process.communicate(timeout=30)
        assert GRACE_S - 1 < time.monotonic() - began < GRACE_S + 5
    assert process.returncode == code
    assert site.report["run"]["partial"] is True
    assert codes(site) == {"interrupted": 200}
    wait_until_gone(children)


@pytest.mark.parametrize("blow", ["twice", "kill"])
def test_ended_at_once(site: Site, responder: Responder, blow: str) -> None:
    """Nobody outlives the process that was started, however that ends."""
    with stalling() as port, site.start(dict.fromkeys(addresses(200, 51), port), "--procs", 3, timeout=60) as process:
        wait_for_connections(port, JOBS)
        children = children_of(process.pid)
        if blow == "twice":
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
        else:
            process.kill()
        process.communicate(timeout=30)
        assert len(children) == 2
        wait_until_gone(children)
    assert process.returncode in {130, -signal.SIGINT, -signal.SIGKILL}
    assert not site.has_report


def test_every_host_and_phase_is_told(site: Site, responder: Responder) -> None:
    """The lines of -vv, and as JSON: the same, whoever asked the host."""
    ports = dict.fromkeys(addresses(20, 52), responder.port)
    told = {}
    for procs in ("1", "3"):
        with site.start(ports, "-vv", "--log-format", "json", NETAUDIT_PROCS=procs) as process:
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        lines = [json.loads(line) for line in errors.splitlines()]
        told[procs] = Counter((line["event"], line.get("host"), line.get("phase")) for line in lines)
        hosts = [line for line in lines if line["event"] == "host"]
        assert all(line["seconds"] >= sum(line["phases"].values()) - 0.001 > 0 for line in hosts)
    assert told["1"] == told["3"]
    assert sum(told["3"].values()) > 20 * 9


@pytest.mark.parametrize("limit", ["ulimit -n 64", "ulimit -Sn 64"])
def test_few_descriptors(site: Site, responder: Responder, limit: str) -> None:
    """The limit holds for each process; what one may have open at the same time is as with one alone."""
    code, _, errors = site.run(
        dict.fromkeys(addresses(100, 53), responder.port), limit=limit, jobs=32, NETAUDIT_PROCS="3"
    )
    assert code == 0, errors
    assert codes(site) == {"compliant": 100}
    assert errors.count("warning: ") == int("-S" not in limit), errors


def test_how_many_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a thousand hosts on that can be shared out, one for each core and this one, up to what one can judge for."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    straight: list[Host] = [a_host(f"web-{number}") for number in range(1000)]
    jumping = [a_host(f"db-{number}", jump=("bastion",)) for number in range(1000)]
    assert choose_procs(None, straight, "strict") == 3
    assert choose_procs(None, straight[1:], "strict") == 1
    assert choose_procs(None, [*straight[1:], *jumping], "strict") == 1
    assert choose_procs(None, straight, "accept-new") == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert choose_procs(None, straight, "strict") == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))
    assert choose_procs(None, straight, "strict") == 4
    assert choose_procs(8, straight, "strict") == 8
    assert choose_procs(8, straight[:3], "strict") == 4, "none for whom there is nothing to do"
    assert choose_procs(8, jumping, "strict") == 1
