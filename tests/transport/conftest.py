"""What the transport tests share: a transport with a fixed clock, and the proof that a run leaves nothing behind."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from auditor.model.host import Host
from auditor.model.transcript import Transcript
from auditor.transport import Script
from auditor.transport.loop import Loop
from auditor.transport.ssh import SshTransport
from tests.builders import NOW

SCRIPT = Script(nonce="0123456789abcdef0123456789abcdef", text=b"{ echo hello; exit 0; }\n")


def count_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # as cheap as it gets, and it is polled


@pytest.fixture(params=["driven", "loop", "public"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test on both engines, and the one that is driven by the worker also where hosts share a thread."""
    if request.param == "public":
        for module in ("ssh", "ssh_connection"):
            monkeypatch.setattr(f"auditor.transport.{module}.find_obstacle", lambda: "the test wants the public path")
    if request.param == "loop":
        monkeypatch.setattr(SshTransport, "run", run_in_loop)
    return str(request.param)


_run = SshTransport.run


def run_in_loop(transport: SshTransport, host: Host, script: Script) -> Transcript:
    done: SimpleQueue[Transcript | Exception] = SimpleQueue()

    def work(_: None) -> None:
        try:
            done.put(_run(transport, host, script))
        except Exception as error:  # noqa: BLE001 - raised below
            done.put(error)

    loop = Loop(work, print)
    loop.submit(None)
    outcome = done.get(timeout=host.timeout + 20)
    loop.end()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@pytest.fixture
def transport() -> Iterator[SshTransport]:
    with SshTransport(clock=lambda: NOW) as ssh:
        yield ssh


@pytest.fixture
def nothing_left_behind() -> Iterator[None]:
    """Fail when the test leaves threads or descriptors behind. Ask for it before whatever starts servers."""
    gc.collect()
    threads, descriptors = set(threading.enumerate()), count_descriptors()
    yield
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if set(threading.enumerate()) <= threads and count_descriptors() <= descriptors:
            return
        time.sleep(0.02)
    assert set(threading.enumerate()) <= threads
    assert count_descriptors() <= descriptors


@pytest.fixture
def login_key(tmp_path: Path) -> Path:
    from tests.servers.sshd import make_key

    return make_key(tmp_path / "login")
