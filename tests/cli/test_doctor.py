"""`netaudit doctor`: every step of an audit with its result, and the end at the first that fails.

The far sides are real: an sshd, or a server that misbehaves.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.diagnosis import Check, Read, diagnose
from auditor.cli.diagnosis_text import lay_out
from auditor.collect import unframe
from auditor.model.facts import Coverage, Gap, HostFacts, System
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.reporters.text_layout import write_lines
from auditor.transport.timeline import Step
from tests.builders import NOW, a_host, a_listener
from tests.cli.site import netaudit
from tests.servers.hostile import say, serve, unused_port
from tests.servers.sshd import Sshd, run_sshd

WAY = ["DNS", "TCP", "banner", "kex", "host key", "auth", "shell", "answer"]
INSIDE = ["script", "/proc", "privilege", "sudo", "owners", "namespaces", "clock"]


def doctor(folder: Path, inventory: str, host: str, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the checks of a host of an inventory."""
    (folder / "inventory.yaml").write_text(f"version: 1\nhosts:\n{inventory}")
    result = netaudit("doctor", host, "-i", "inventory.yaml", "--json", cwd=folder, **variables)
    document = json.loads(result.stdout)
    assert document["exit"]["code"] == result.returncode
    assert (document["kind"], document["host"]) == ("netaudit.doctor", host)
    checks: list[dict[str, Any]] = document["checks"]
    assert [check["result"] for check in checks[:-1]].count("failed") == 0  # it ends with the first that fails
    return result.returncode, checks


def describe(sshd: Sshd, name: str = "web-01", more: str = "") -> str:
    return (
        f"  {name}: {{address: 127.0.0.1, port: {sshd.port}, user: {sshd.user}, identity: {sshd.key}, "
        f"known_hosts: {sshd.known_hosts}{more}}}\n"
    )


def test_a_healthy_host_passes_every_step_in_order(tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd") as sshd:
        code, checks = doctor(tmp_path, describe(sshd), "web-01")
        key = subprocess.run(
            ["ssh-keygen", "-lf", str(sshd.directory / "host_ed25519.pub")], check=True, capture_output=True, text=True
        ).stdout.split()[1]
    assert code == 0
    assert [check["name"] for check in checks] == [*WAY, *INSIDE]
    assert {check["result"] for check in checks} <= {"ok", "note"}
    said = {check["name"]: check["detail"] for check in checks}
    assert (said["DNS"], said["TCP"]) == ("127.0.0.1", f"127.0.0.1:{sshd.port}")
    assert said["banner"].startswith("SSH-2.0-OpenSSH_")
    assert key in said["host key"]
    assert said["auth"].startswith(f"{sshd.user} with ")
    assert all(check["seconds"] >= 0 for check in checks[: len(WAY)])
    assert all(check["seconds"] is None for check in checks[len(WAY) :])


def test_this_machine_takes_no_login(tmp_path: Path) -> None:
    result = netaudit("doctor", "localhost", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["localhost", "this", "machine"]
    assert [row[1] for row in rows[1:] if row[0] in {"ok", "note"}] == ["shell", "answer", *INSIDE]
    assert result.stderr.splitlines()[-1] == "exit 0: localhost can be audited"


def test_a_port_that_refuses_ends_it_with_the_next_step(tmp_path: Path) -> None:
    inventory = f"  gone: {{address: 127.0.0.1, port: {unused_port()}, user: a, password: env:PW}}\n"
    code, checks = doctor(tmp_path, inventory, "gone", PW="x")
    assert (code, [check["name"] for check in checks]) == (3, ["DNS", "TCP"])
    assert (checks[-1]["result"], checks[-1]["code"]) == ("failed", "tcp-refused")
    assert "check the port" in checks[-1]["next"]


def test_what_is_no_ssh_server_is_shown_and_does_nothing(tmp_path: Path) -> None:
    with serve(say(b"HTTP/1.1 400 \x1b[2JBad\r\n\r\n")) as server:
        (tmp_path / "inventory.yaml").write_text(
            f"version: 1\nhosts:\n  web: {{address: 127.0.0.1, port: {server.port}, user: a, password: env:PW}}\n"
        )
        result = netaudit("doctor", "web", "-i", "inventory.yaml", cwd=tmp_path, PW="x")
    assert result.returncode == 3
    assert result.stderr.splitlines()[-1] == "exit 3: banner: not-ssh"
    assert "HTTP/1.1 400 \\x1b[2JBad" in result.stdout
    assert "\x1b" not in result.stdout


def test_an_unknown_key_ends_it_before_any_login(tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd") as sshd:
        sshd.known_hosts.write_text("")
        code, checks = doctor(tmp_path, describe(sshd), "web-01")
        attempts = sshd.login_attempts()
    assert (code, checks[-1]["name"], checks[-1]["code"]) == (3, "host key", "hostkey-unknown")
    assert "ssh-keyscan" in checks[-1]["next"]
    assert attempts == 0


def test_the_way_through_a_jump_host_is_told_apart(tmp_path: Path) -> None:
    with run_sshd(tmp_path / "outer") as outer, run_sshd(tmp_path / "inner") as inner:
        inventory = describe(outer, "bastion") + describe(inner, "web-01", ", jump: [bastion]")
        code, checks = doctor(tmp_path, inventory, "web-01")
        text = netaudit("doctor", "web-01", "-i", "inventory.yaml", cwd=tmp_path).stdout.splitlines()
        inner.known_hosts.write_text("")
        _, failed = doctor(tmp_path, inventory, "web-01")
    assert code == 0
    via = [check["name"] for check in checks if check["via"] == "bastion"]
    assert via == WAY[:6]
    assert [check["name"] for check in checks if not check["via"]] == [*WAY[1:], *INSIDE]
    assert text[1] == "  through bastion:"
    assert "  to web-01:" in text
    assert (failed[-1]["name"], failed[-1]["code"], failed[-1]["via"]) == ("host key", "hostkey-unknown", "")


def test_a_login_that_talks_and_a_shell_that_does_not_come(tmp_path: Path) -> None:
    talks = 'command="echo Welcome to the machine; exec /bin/sh -s"'
    with run_sshd(tmp_path / "talks", authorized_options=talks) as sshd:
        code, checks = doctor(tmp_path, describe(sshd), "web-01")
    assert code == 0
    assert [check["detail"] for check in checks if check["name"] == "login"] == [
        'the login printed: "Welcome to the machine"'
    ]
    forced = 'command="echo This account runs backups only"'
    with run_sshd(tmp_path / "forced", authorized_options=forced) as sshd:
        code, checks = doctor(tmp_path, describe(sshd), "web-01")
    assert (code, checks[-1]["name"], checks[-1]["code"]) == (3, "script", "no-frame")
    assert (checks[-2]["detail"], checks[-2]["next"]) == (
        'in place of the answer, or around it, the host printed: "This account runs backups only"',
        "",
    )
    with run_sshd(tmp_path / "mute", authorized_options='command="/bin/false"') as sshd:
        code, checks = doctor(tmp_path, describe(sshd), "web-01")
    assert (code, checks[-1]["name"], checks[-1]["code"]) == (3, "script", "no-frame")


def test_a_host_that_is_not_in_the_inventory_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 1\nhosts:\n  web-01: {user: a}\n")
    result = netaudit("doctor", "web-1", "-i", "inventory.yaml", cwd=tmp_path)
    assert result.returncode == 2
    assert "hint: did you mean 'web-01'?" in result.stderr


# -- what a host says, without a host


def read(*gaps: Gap, skew: float | None = 0.0, privileged: bool = True, noise: bytes = b"", **host: Any) -> list[Check]:
    system = System(collected_at=NOW, privileged=privileged, clock_skew_s=skew)
    coverage = (Coverage(source="tcp", status="ok", rows=3), Coverage(source="namespaces", status="ok", rows=2))
    listeners = (a_listener(owner_status="known"), a_listener(port=80, owner_status="unprivileged"))
    facts = HostFacts(system=system, listeners=listeners, coverage=coverage, gaps=gaps)
    answer = Transcript(nonce="0" * 32, stdout=b"", exit_status=0, started_at=NOW, finished_at=NOW)
    evidence = Evidence(host=a_host(**host), outcome=answer, finished_at=NOW)
    return diagnose(evidence, [], Read(evidence.host, Snapshot({}, (), noise), facts))


@pytest.mark.parametrize(
    ("gap", "name", "others"),
    [
        (Gap(source="no-shell", reason="nologin"), "script", 0),
        (Gap(source="udp6", reason="denied"), "/proc", 1),
        (Gap(source="session", reason="another namespace"), "/proc", 1),
        (Gap(source="sudo", reason="sudo asks for a password"), "sudo", 3),
        (Gap(source="namespaces", reason="read as root only"), "namespaces", 5),
    ],
)
def test_a_gap_fails_the_step_it_belongs_to(gap: Gap, name: str, others: int) -> None:
    checks = read(gap, sudo=True, namespaces=True)
    assert [check.name for check in checks] == [*INSIDE[:others], name]
    assert (checks[-1].result, gap.reason in checks[-1].detail, bool(checks[-1].next)) == ("failed", True, True)


@pytest.mark.parametrize(
    ("skew", "result", "detail"),
    [
        (0.4, "ok", "the same as here"),
        (-299.0, "ok", "299 s behind"),
        (4000.0, "note", "4000 s ahead"),
        (None, "note", ""),
    ],
)
def test_the_clock(skew: float | None, result: str, detail: str) -> None:
    clock = read(skew=skew)[-1]
    assert (clock.name, clock.result) == ("clock", result)
    assert detail in clock.detail


def test_less_privilege_is_a_note_and_no_failure() -> None:
    checks = {check.name: check for check in read(privileged=False, user="audit")}
    assert (checks["privilege"].result, checks["owners"].result) == ("note", "note")
    assert checks["owners"].detail == "known for 1 of 2 listeners (1 unprivileged)"
    assert checks["namespaces"].detail.endswith("not asked for")


def test_root_that_was_not_shown_everything_is_not_said_to_see_it() -> None:
    """As a target-kit's collector has it: its program for the owners runs as root, and nothing else does."""
    assert [check.detail for check in read() if check.name == "privilege"] == ["root: everything there is can be read"]
    unread = Gap(source="namespaces", reason="what answers there does not read them")
    *_, privilege, _, _, namespaces = read(unread, namespaces=True)
    assert (privilege.name, privilege.result) == ("privilege", "note")
    assert privilege.detail == "root; not read, or not whole: other network namespaces"
    assert (namespaces.name, namespaces.result) == ("namespaces", "failed")
    assert "take `namespaces: true` from the host" in namespaces.next


def test_what_goes_wrong_between_two_steps_is_a_step_of_its_own() -> None:
    failure = Failure(phase="auth", code="user-missing", message="no user", hint="set it")
    evidence = Evidence(host=a_host(), outcome=failure, finished_at=NOW)
    [only] = diagnose(evidence, [], None)
    assert (only.name, only.result, only.next, only.seconds) == ("auth", "failed", "set it", None)
    busy = diagnose(evidence, [Step("banner", "", 0.1, ["x"]), Step("kex", "", 0.2)], None)
    assert [(check.name, check.result) for check in busy] == [("banner", "ok"), ("kex", "ok"), ("auth", "failed")]


def test_long_texts_go_on_under_themselves_on_a_terminal_only() -> None:
    checks = [Check("TCP", "failed", "word " * 40, "next " * 40, "tcp-refused", 1.5)]
    narrow = write_lines(lay_out(a_host(), checks, 80), color=False).splitlines()
    wide = write_lines(lay_out(a_host(), checks), color=False).splitlines()
    assert max(len(line) for line in narrow) < 80
    assert all(line.startswith(" " * 26) for line in narrow[2:])
    assert len(wide) == 3


def test_the_script_is_that_of_a_run(tmp_path: Path) -> None:
    """What doctor calls well read is what a run reads: the same sections, from the same host."""
    with run_sshd(tmp_path / "sshd") as sshd:
        _, checks = doctor(tmp_path, describe(sshd), "web-01")
        netaudit("collect", "inventory.yaml", "-o", "e.gz", cwd=tmp_path)
    from auditor.transport.evidence import read_evidence

    with read_evidence(tmp_path / "e.gz") as opened:
        [evidence] = opened
    assert isinstance(evidence.outcome, Transcript)
    sections = len(unframe(evidence.outcome).sections)
    assert f"ran to its end: {sections} sections" in [check["detail"] for check in checks]
