"""Ten runs of two hundred hosts in one process: threads, descriptors and memory stay where they were."""

import gc
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.audit import Fleet, collect_host
from auditor.model.host import Host
from auditor.model.transcript import Evidence, Failure
from auditor.transport import MEBIBYTE
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.servers.dead import refusing, stalling
from tests.servers.responder import Responder, run_responder
from tests.servers.sshd import make_key
from tests.sources import InOrder
from tests.transport.conftest import count_descriptors

ROUNDS, HOSTS, JOBS = 10, 200, 40


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with run_responder() as running:
        yield running


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run_once(hosts: list[Host]) -> Counter[str]:
    """Collect from all hosts as a run does; return how many times what came of it."""
    with SshTransport(clock=lambda: NOW) as transport:

        def collect(host: Host) -> Evidence:
            return collect_host(host, {"ssh": transport}, lambda: NOW, owners=False)

        done = [evidence.outcome for evidence in Fleet(collect, JOBS).run(InOrder(hosts))]
    return Counter(outcome.code if isinstance(outcome, Failure) else "ok" for outcome in done)


def test_ten_rounds_leave_nothing_behind(responder: Responder, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(responder.known_hosts_line())
    login = {"identity": (str(make_key(tmp_path / "key")),), "known_hosts": (str(tmp_path / "known_hosts"),)}
    with refusing() as refused, stalling() as stalled:
        ports = {0: refused, 1: stalled}  # one in ten is dead: half of those refuse, the others never say a word
        hosts = [
            responder.host(
                f"host-{number}",
                f"127.40.0.{1 + number}",
                port=ports.get(number % 20, responder.port),
                timeout=0.5 if number % 20 == 1 else 30.0,
                **login,
            )
            for number in range(HOSTS)
        ]
        expected = {"ok": 180, "tcp-refused": 10, "banner-timeout": 10}
        assert run_once(hosts) == run_once(hosts) == expected
        gc.collect()
        before = set(threading.enumerate()), count_descriptors(), resident_bytes(), len(gc.get_objects())
        for _ in range(ROUNDS - 2):
            assert run_once(hosts) == expected
        gc.collect()
        for thread in set(threading.enumerate()) - before[0]:
            thread.join(5)  # those that were told to end
        assert set(threading.enumerate()) <= before[0]
        assert count_descriptors() <= before[1]
        # Each run has a thread of its own, and malloc(3) an arena for it, which is used again, or not.
        assert resident_bytes() - before[2] < 16 * MEBIBYTE
        assert len(gc.get_objects()) - before[3] < HOSTS
