"""The wall clock jumps by an hour, to and fro, all the time: no deadline moves, and no host fails for it."""

import itertools
import time
from pathlib import Path

import pytest

from auditor.errors import TransportError
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.servers import hostile
from tests.servers.sshd import run_sshd
from tests.transport.conftest import SCRIPT
from tests.transport.test_ssh_dial import black_hole

pytestmark = pytest.mark.usefixtures("nothing_left_behind", "engine")


@pytest.fixture
def jumping_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    real, hours = time.time, itertools.cycle((3600.0, 0.0, -3600.0, 0.0))
    monkeypatch.setattr(time, "time", lambda: real() + next(hours))


@pytest.mark.parametrize("jump", [(), ("bastion",)], ids=["straight", "jump"])
def test_host_that_answers(tmp_path: Path, jump: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    with run_sshd(tmp_path / "a") as bastion, run_sshd(tmp_path / "b") as target:
        request.getfixturevalue("jumping_clock")
        with SshTransport(clock=lambda: NOW, jump_hosts={"bastion": bastion.host("bastion")}) as transport:
            for _ in range(5):
                assert transport.run(target.host(jump=jump), SCRIPT).stdout == b"hello\n"


@pytest.mark.parametrize("jump", [(), ("bastion",)], ids=["straight", "jump"])
@pytest.mark.parametrize("dead", ["silent", "black hole"])
def test_host_that_does_not(tmp_path: Path, dead: str, jump: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    """It has its one second, no less and not much more."""
    with run_sshd(tmp_path / "a") as bastion, hostile.serve(hostile.silent) as silent, black_hole() as hole:
        request.getfixturevalue("jumping_clock")
        port = silent.port if dead == "silent" else hole.sockaddr[1]
        with SshTransport(clock=lambda: NOW, jump_hosts={"bastion": bastion.host("bastion")}) as transport:
            started = time.monotonic()
            with pytest.raises(TransportError) as failure:
                transport.run(bastion.host("target", port=port, jump=jump, timeout=1.0), SCRIPT)
            assert 0.9 <= time.monotonic() - started <= 2.0
    assert failure.value.code == {"silent": "banner-timeout", "black hole": "tcp-timeout"}[dead]
