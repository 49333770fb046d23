"""What ssh_config settles about dialling, seen from a real server's log and from the clock."""

import time
from pathlib import Path

import pytest

from auditor.errors import TransportError
from auditor.model.host import SshOptions
from auditor.transport.ssh import SshTransport
from tests.servers.sshd import run_sshd
from tests.transport.conftest import SCRIPT
from tests.transport.test_ssh_dial import black_hole

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


def test_bind_address(transport: SshTransport, tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd") as sshd:
        assert transport.run(sshd.host(ssh=SshOptions(bind_address="127.0.0.9")), SCRIPT).stdout == b"hello\n"
        assert "Connection from 127.0.0.9 " in sshd.log_text()


def test_address_family(transport: SshTransport, tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd") as sshd:
        assert transport.run(sshd.host(ssh=SshOptions(address_family="inet")), SCRIPT).stdout == b"hello\n"
        with pytest.raises(TransportError) as failure:
            transport.run(sshd.host(ssh=SshOptions(address_family="inet6")), SCRIPT)
        assert sshd.log_text().count("Connection from ") == 1
    assert (failure.value.phase, failure.value.code) == ("dns", "dns-no-address")


def test_connect_timeout(transport: SshTransport, tmp_path: Path) -> None:
    """Shorter than ours, and shorter than the host's."""
    with black_hole() as silent, run_sshd(tmp_path / "sshd") as sshd:
        host = sshd.host(port=silent.sockaddr[1], ssh=SshOptions(connect_timeout=1.0), timeout=20.0)
        started = time.monotonic()
        with pytest.raises(TransportError) as failure:
            transport.run(host, SCRIPT)
        assert time.monotonic() - started < 5
    assert failure.value.code == "tcp-timeout"
    assert "no answer within 1 s" in failure.value.message
