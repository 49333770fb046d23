"""Owners with root, with sudo in all its ways, and without: real sshd, real sudo, real accounts.

The server runs in a pid namespace of its own, so that root there sees every process; a listener of a process outside
shares the network.
"""

import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import collect_host
from auditor.cli.clock import read_clock
from auditor.collect import unframe
from auditor.model.facts import HostFacts, Listener
from auditor.model.host import SecretRef
from auditor.model.transcript import Evidence, Transcript
from auditor.parse import parse_snapshot
from auditor.transport.ssh import SshTransport
from tests.requirements import require
from tests.servers.accounts import an_account, sudo_rules
from tests.servers.sshd import Sshd, run_sshd

SEALED = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
PASSWORD = f"canary-{secrets.token_hex(8)}"
VARIABLE = "NETAUDIT_TEST_SUDO"
pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    require("root", "sudo", "visudo", "useradd", "chpasswd", "unshare", "sshd")
    with tempfile.TemporaryDirectory(prefix="netaudit-sudo-") as folder:
        Path(folder).chmod(0o755)
        with run_sshd(Path(folder) / "sshd", within=SEALED) as running:
            yield running


@pytest.fixture
def open_listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def audit(server: Sshd, user: str, *, owners: bool = True, **fields: Any) -> tuple[Evidence, HostFacts]:
    host = server.host(user=user, **fields)
    with SshTransport(clock=read_clock) as transport:
        evidence = collect_host(host, {"ssh": transport}, read_clock, owners=owners)
    assert isinstance(evidence.outcome, Transcript), evidence.outcome
    return evidence, parse_snapshot(unframe(evidence.outcome), evidence.outcome)


def at(facts: HostFacts, port: int) -> Listener:
    return next(found for found in facts.listeners if found.port == port and found.proto == "tcp")


def sudo_gaps(facts: HostFacts) -> list[str]:
    """Return what is said about sudo; nothing else may be a gap of these hosts."""
    assert {gap.source for gap in facts.gaps} <= {"sudo"}
    return [gap.reason for gap in facts.gaps]


def assert_seen_by_root(facts: HostFacts, server: Sshd, elsewhere: int) -> None:
    assert sudo_gaps(facts) == []
    assert facts.system.privileged
    found = at(facts, server.port)
    # Not `known`: the server is in a pid namespace of its own, and somebody outside may hold the socket as well.
    assert (found.owner_status, found.user, found.uid) == ("other-namespace", "root", 0)
    (owner,) = found.owners
    assert (owner.pid, owner.comm, owner.exe) == (1, "sshd", os.path.realpath("/usr/sbin/sshd"))
    assert owner.cmdline is not None
    assert str(server.directory) in owner.cmdline
    # Held by the test itself, which is in the parent pid namespace: nobody there is seen, and nobody is made up.
    assert (at(facts, elsewhere).owner_status, at(facts, elsewhere).owners) == ("other-namespace", ())


def assert_seen_without_root(facts: HostFacts, server: Sshd) -> None:
    """The listeners are all there; whose they are is not seen but for the user, which the tables say."""
    found = at(facts, server.port)
    assert (found.owner_status, found.owners, found.user) == ("unprivileged", (), "root")
    assert not facts.system.privileged


def test_root_sees_who_holds_what(server: Sshd, open_listener: int) -> None:
    _, facts = audit(server, "root")
    assert_seen_by_root(facts, server, open_listener)
    _, facts = audit(server, "root", sudo=True)
    assert_seen_by_root(facts, server, open_listener)


def test_sudo_without_a_password_is_as_good_as_root(server: Sshd, open_listener: int) -> None:
    with an_account() as user, sudo_rules(user, f"{user} ALL=(root) NOPASSWD: ALL"):
        _, facts = audit(server, user, sudo=True)
        assert_seen_by_root(facts, server, open_listener)
        _, facts = audit(server, user)  # nobody asked for it
        assert sudo_gaps(facts) == []
        assert_seen_without_root(facts, server)


def test_the_password_is_sent_when_sudo_asks(server: Sshd, open_listener: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with an_account(PASSWORD) as user, sudo_rules(user, f"{user} ALL=(root) ALL"):
        evidence, facts = audit(server, user, sudo=True, sudo_password=SecretRef(source="env", name=VARIABLE))
        assert_seen_by_root(facts, server, open_listener)
        assert PASSWORD not in evidence.model_dump_json()
        assert PASSWORD not in server.log_text()


def test_sudo_that_does_not_ask_never_gets_it(
    server: Sshd, open_listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with an_account() as user, sudo_rules(user, f"{user} ALL=(root) NOPASSWD: ALL"):
        evidence, facts = audit(server, user, sudo=True, sudo_password=SecretRef(source="env", name=VARIABLE))
        assert_seen_by_root(facts, server, open_listener)
        assert PASSWORD not in evidence.model_dump_json()


@pytest.mark.parametrize(
    ("rules", "given", "code"),
    [
        pytest.param(["{user} ALL=(root) ALL"], "wrong-" + PASSWORD, "sudo-wrong-password", id="wrong-password"),
        pytest.param(["{user} ALL=(root) ALL"], None, "sudo-needs-password", id="no-password-given"),
        pytest.param([], None, "sudo-needs-password", id="not-in-sudoers-not-asked"),
        pytest.param([], PASSWORD, "sudo-not-allowed", id="not-in-sudoers"),
        pytest.param(["{user} ALL=(root) NOPASSWD: /bin/true"], None, "sudo-needs-password", id="another-command"),
        pytest.param(["{user} ALL=(root) /bin/true"], PASSWORD, "sudo-not-allowed", id="another-command-asked"),
        pytest.param(
            ["Defaults:{user} requiretty", "{user} ALL=(root) NOPASSWD: ALL"],
            None,
            "sudo-requires-tty",
            id="requiretty",
        ),
        pytest.param(
            ["Defaults:{user} timestamp_timeout=0", "{user} ALL=(root) ALL"],
            PASSWORD,
            "sudo-not-remembered",
            id="timestamp-timeout",
        ),
    ],
)
def test_when_sudo_does_not_help_the_host_is_read_without_it(
    server: Sshd, rules: list[str], given: str | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv(VARIABLE, given)
    reference = None if given is None else SecretRef(source="env", name=VARIABLE)
    with an_account(PASSWORD) as user, ExitStack() as stack:
        if rules:
            stack.enter_context(sudo_rules(user, *(rule.format(user=user) for rule in rules)))
        evidence, facts = audit(server, user, sudo=True, sudo_password=reference)
    (said,) = sudo_gaps(facts)
    assert code in said
    assert_seen_without_root(facts, server)
    assert PASSWORD not in evidence.model_dump_json()


def test_a_wrong_password_is_tried_once(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """sudo asks three times by itself; each counts towards a lockout (pam_faillock)."""
    monkeypatch.setenv(VARIABLE, "wrong")
    with an_account(PASSWORD) as user, sudo_rules(user, f"{user} ALL=(root) ALL"):
        evidence, _ = audit(server, user, sudo=True, sudo_password=SecretRef(source="env", name=VARIABLE))
    assert isinstance(evidence.outcome, Transcript)
    section = unframe(evidence.outcome).sections["sudo"]
    assert b"1 incorrect password attempt" in section.data


def test_without_owners_nothing_is_asked(server: Sshd) -> None:
    _, facts = audit(server, "root", owners=False)
    assert {found.owner_status for found in facts.listeners} == {"not-collected"}
    assert sudo_gaps(facts) == []
