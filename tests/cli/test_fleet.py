"""Large fleets on the loopback, through the whole command: exact counts, few descriptors, and an end when asked for."""

import json
import math
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.fleet import gather_hosts
from auditor.model.transcript import Evidence, Transcript
from tests.builders import NOW, a_host
from tests.cli.site import LENIENT, environment
from tests.servers import hostile
from tests.servers.dead import black_hole, refusing, stalling
from tests.servers.responder import USER, Responder, ports_of, run_responder
from tests.servers.sshd import make_key, run_sshd

JOBS, TIMEOUT_S = 64, 3
LIVE, REFUSING, SILENT, STALLED = 800, 100, 50, 50
GRACE_S = 3


class Site:
    """A folder with an inventory of loopback addresses: which port is dialled says what becomes of a host."""

    def __init__(self, folder: Path, responder: Responder) -> None:
        self._folder = folder
        make_key(folder / "key")
        (folder / "known_hosts").write_text(responder.known_hosts_line())
        (folder / "policies").mkdir()
        (folder / "policies" / "lenient.yaml").write_text(LENIENT)

    @contextmanager
    def start(
        self,
        ports: Mapping[str, int],
        *arguments: object,
        jobs: int = JOBS,
        timeout: int = 60,
        dead: Collection[int] = (),
        limit: str = "",
        **variables: str,
    ) -> Iterator["subprocess.Popen[str]"]:
        """Yield the audit of hosts at these addresses and ports while it runs; `limit` is a ulimit(1p) command.

        Nobody waits for `dead` ports for long.
        """
        defaults = {"user": USER, "identity": "key", "known_hosts": "known_hosts", "timeout": timeout}
        own = {port: {"timeout": TIMEOUT_S} for port in dead}
        hosts = {
            f"host-{address}": {"address": address, "port": port, **own.get(port, {})}
            for address, port in ports.items()
        }
        document = {"version": 1, "defaults": defaults, "hosts": hosts}
        (self._folder / "inventory.yaml").write_text(json.dumps(document))
        words = ["run", "inventory.yaml", "-j", jobs, "--no-owners", "-q", "-o", "json=report.json", *arguments]
        command = [sys.executable, "-m", "auditor", *map(str, words)]
        process = subprocess.Popen(
            ["sh", "-c", f'{limit or ":"} && exec "$@"', "sh", *command],
            cwd=self._folder,
            env=environment(**variables),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def run(self, ports: Mapping[str, int], **options: Any) -> tuple[int, float, str]:
        """Audit to the end; return the exit code, the seconds it took, and standard error."""
        began = time.monotonic()
        with self.start(ports, **options) as process:
            _, errors = process.communicate(timeout=180)
        return process.returncode, time.monotonic() - began, errors

    @property
    def has_report(self) -> bool:
        return (self._folder / "report.json").exists()

    @property
    def report_bytes(self) -> bytes:
        return (self._folder / "report.json").read_bytes()

    @property
    def report(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.report_bytes)
        return loaded


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with run_responder() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, responder: Responder) -> Site:
    return Site(tmp_path, responder)


def addresses(count: int, net: int) -> list[str]:
    return [f"127.{net}.{number >> 7}.{1 + number % 128}" for number in range(count)]


def seen_ports(host: dict[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(listener["port"] for listener in host["listeners"]))


def test_eight_hundred_alive_and_two_hundred_dead(site: Site, responder: Responder) -> None:
    """Every host is there once, as what it is, with its own ports and nobody else's; the dead cost what they must."""
    living = dict.fromkeys(addresses(LIVE, 30), responder.port)
    code, alone, errors = site.run(living)
    assert code == 0, errors
    with refusing() as refused, black_hole() as silent, stalling() as stalled:
        dead = {
            **dict.fromkeys(addresses(REFUSING, 31), refused),
            **dict.fromkeys(addresses(SILENT, 32), silent),
            **dict.fromkeys(addresses(STALLED, 33), stalled),
        }
        code, seconds, errors = site.run({**living, **dead}, dead=(refused, silent, stalled))
    assert code == 3, errors
    report = site.report
    assert report["summary"]["hosts"] == {
        "total": 1000, "compliant": LIVE, "violating": 0, "incomplete": 0, "unreachable": 200,
    }  # fmt: skip
    hosts = {host["address"]: host for host in report["hosts"]}
    assert {address: seen_ports(hosts[address]) for address in living} == {
        address: tuple(sorted(ports_of(address))) for address in living
    }
    assert len({seen_ports(hosts[address]) for address in living}) == LIVE, "no two hosts are alike"
    failures = Counter((host["error"]["phase"], host["error"]["code"]) for host in report["hosts"] if host["error"])
    assert failures == {
        ("tcp", "tcp-refused"): REFUSING, ("tcp", "tcp-timeout"): SILENT, ("banner", "banner-timeout"): STALLED,
    }  # fmt: skip
    waits = math.ceil((SILENT + STALLED) / JOBS) * TIMEOUT_S
    noise = max(2.0, alone / 2)  # other programs of this machine, between the two runs
    assert seconds <= 1.1 * (alone * 1000 / LIVE + waits) + noise, f"{alone:.1f} s without the dead"


@pytest.mark.parametrize(("limit", "warned"), [("ulimit -n 64", True), ("ulimit -Sn 64", False)], ids=["hard", "soft"])
def test_few_descriptors(site: Site, responder: Responder, limit: str, warned: bool) -> None:
    """A soft limit is raised; what a hard one does not allow at the same time is done one after the other."""
    ports = dict.fromkeys(addresses(100, 34), responder.port)
    code, _, errors = site.run(ports, limit=limit, jobs=32)
    assert code == 0, errors
    assert site.report["summary"]["hosts"]["compliant"] == 100
    warnings = [line for line in errors.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == int(warned)
    assert all("only 64 files may be open (ulimit -n)" in line for line in warnings)


def test_number_of_jobs_and_order_of_answers_leave_no_trace(site: Site, responder: Responder) -> None:
    """The same fleet, one host at a time and all at once, with other seeds: the same report to the last byte.

    But for the digest of the tables, in which our own connection stands with its port.
    """
    with refusing() as refused:
        ports = dict.fromkeys(addresses(40, 39), responder.port) | dict.fromkeys(addresses(10, 40), refused)
        fixed = {"SOURCE_DATE_EPOCH": "1767323045"}
        reports = set()
        for jobs, seed in ((1, "0"), (8, "1"), (200, "4711")):
            code, _, errors = site.run(ports, jobs=jobs, PYTHONHASHSEED=seed, **fixed)
            assert code == 3, errors
            reports.add(re.sub(rb'"source":"tcp",.*', b"", site.report_bytes))
    assert len(reports) == 1


def wait_for_connections(port: int, count: int, pid: int | None = None) -> None:
    """Wait until the kernel has so many connections to a port; of a process, if one is named."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        found = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01"}
        if len(found if pid is None else found & sockets_of(pid)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the fleet does not get going")


def sockets_of(pid: int) -> set[str]:
    """Return the sockets that a process holds, as they are named in /proc/PID/fd."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            held.add(str(descriptor.readlink()))
    return held


def test_interrupted_among_two_hundred_stalled_hosts(site: Site) -> None:
    """The first signal: what is in flight has three seconds, what is not done is told as such."""
    with stalling() as port, site.start(dict.fromkeys(addresses(200, 35), port)) as process:
        wait_for_connections(port, JOBS)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.communicate(timeout=30)
        assert time.monotonic() - began < GRACE_S + 5
    assert process.returncode == 130
    assert site.report["run"]["partial"] is True
    assert Counter(host["error"]["code"] for host in site.report["hosts"]) == {"interrupted": 200}


def test_interrupted_among_hosts_that_talk_without_end(site: Site) -> None:
    """What is in flight is busy to the end of the process, which is no crash of its threads."""
    talking = hostile.repeat(hostile.SHORT_IGNORE, pause=0.01, first=hostile.VERSION)
    hosts = addresses(20, 39)
    with (
        hostile.serve(talking, "0.0.0.0") as server,
        site.start(dict.fromkeys(hosts, server.port)) as process,
    ):
        wait_for_connections(server.port, len(hosts))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert Counter(host["error"]["code"] for host in site.report["hosts"]) == {"interrupted": len(hosts)}


def test_interrupted_twice(site: Site) -> None:
    """The second signal: at once, whatever is in flight."""
    with stalling() as port, site.start(dict.fromkeys(addresses(200, 36), port)) as process:
        wait_for_connections(port, JOBS)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode in {130, -signal.SIGINT}
    assert not site.has_report, "it took its time, and wrote one"


def test_ways_that_only_ssh_config_knows(site: Site, responder: Responder, tmp_path: Path) -> None:
    """Hosts of the inventory behind a jump host that is none, and others behind a ProxyCommand: %h and %p in place."""
    inner, outer = addresses(10, 37), addresses(3, 38)
    with run_sshd(tmp_path / "edge") as edge:
        (tmp_path / "ssh_config").write_text(
            f"Host host-127.37.*\n  ProxyJump edge\n"
            f"Host host-127.38.*\n  ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'\n"
            f"Host edge\n  HostName 127.0.0.1\n  Port {edge.port}\n  User {edge.user}\n"
            f"  IdentityFile {edge.key}\n  UserKnownHostsFile {edge.known_hosts}\n"
        )
        ports = dict.fromkeys([*inner, *outer], responder.port)
        with site.start(ports, "--ssh-config", "ssh_config", timeout=20) as process:
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert edge.log_text().count("Connection from ") == 1
    hosts = {host["address"]: host for host in site.report["hosts"]}
    assert {address: seen_ports(host) for address, host in hosts.items()} == {
        address: tuple(sorted(ports_of(address))) for address in (*inner, *outer)
    }


def answer(name: str, size: int) -> Evidence:
    outcome = Transcript(nonce="0" * 32, stdout=b"x" * size, exit_status=0, started_at=NOW, finished_at=NOW)
    return Evidence(host=a_host(name), outcome=outcome, finished_at=NOW)


def judge_all(sizes: Mapping[str, int]) -> list[tuple[str, str, float]]:
    """Return of each host who judged it, and how soon he lets go of the interpreter."""

    def judge(evidence: Evidence) -> tuple[str, str, float]:
        time.sleep(0.01)
        return evidence.host.name, threading.current_thread().name, sys.getswitchinterval()

    done: list[tuple[str, str, float]] = []
    gather_hosts(lambda host: answer(host.name, sizes[host.name]), judge, [*map(a_host, sizes)], 8, done.append)
    return sorted(done)


def test_large_answers_are_judged_one_at_a_time_and_beside_those_in_flight() -> None:
    usual = sys.getswitchinterval()
    done = judge_all(
        {f"small-{number}": 1000 for number in range(5)} | {f"vast-{number}": 200_000 for number in range(5)}
    )
    assert done == [
        *[(f"small-{number}", "netaudit-loop", done[number][2]) for number in range(5)],
        *[(f"vast-{number}", "netaudit-judge", 0.0005) for number in range(5)],
    ]
    assert sys.getswitchinterval() == usual


def test_large_answers_are_judged_also_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "netaudit-judge":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert [who for _, who, _ in judge_all({"a": 1, "b": 200_000})] == ["netaudit-loop"] * 2
