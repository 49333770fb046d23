"""`netaudit services` as its user meets it: answers, differences on hosts, and exit codes."""

import json
from pathlib import Path

import pytest

from auditor.model.transcript import Evidence, EvidenceHeader, Failure
from auditor.transport.evidence import EvidenceWriter
from tests.builders import NOW, a_host
from tests.cli.program import closing, netaudit
from tests.collect.answers import NONCE, a_transcript, frame

PLAIN = b"https 443/tcp\nhttps 443/udp\npostgresql 5432/tcp postgres\n"
ODD = b"https 4444/tcp\npostgresql 5432/tcp postgres\nbackdoor 31337/tcp\n"


ENDED = f"\n{NONCE} E services ok\n".encode()
"""How the script closes a table that it read."""


def make_evidence(folder: Path, lost: bool = False, status: str = "ok", **tables: bytes) -> Path:
    """Return the evidence of hosts with these services tables, whose reading went as `status` says."""
    path = folder / "evidence.jsonl.gz"
    header = EvidenceHeader(run_id="r", started_at=NOW, inventory_path="i.yaml", inventory_sha256="0" * 64)
    with EvidenceWriter(path, header) as writer:
        for name, table in tables.items():
            answer = frame({"services": table})
            assert answer.count(ENDED) == 1
            outcome = a_transcript(answer.replace(ENDED, ENDED.replace(b" ok", f" {status}".encode())))
            writer.append(Evidence(host=a_host(name), outcome=outcome, finished_at=NOW))
        if lost:
            failure = Failure(phase="tcp", code="tcp-refused", message="Connection refused", hint="check the port")
            writer.append(Evidence(host=a_host("gone"), outcome=failure, finished_at=NOW))
        writer.finish(partial=False)
    return path


def test_a_name_and_a_port_are_looked_up(tmp_path: Path) -> None:
    by_name = netaudit("services", "https", cwd=tmp_path)
    assert (by_name.returncode, by_name.stderr) == (0, "")
    assert "https  443/tcp           IANA\n" in by_name.stdout
    by_port = netaudit("services", "5432", cwd=tmp_path)
    assert "postgresql  5432/tcp  postgres  IANA" in by_port.stdout
    assert json.loads(netaudit("services", "www", "--json", cwd=tmp_path).stdout)["services"] == [
        {"name": "http", "port": 80, "proto": "tcp", "aliases": ["www"], "assigned_by": "iana"}
    ]


def test_without_a_question_the_whole_table_comes_by_port(tmp_path: Path) -> None:
    rows = netaudit("services", cwd=tmp_path).stdout.splitlines()[1:]
    ports = [int(row.split()[1].partition("/")[0]) for row in rows]
    assert ports == sorted(ports)
    assert len(ports) > 400


def test_what_is_not_known_is_an_error_that_helps(tmp_path: Path) -> None:
    for question, hint in (
        ("htps", "did you mean 'https'?"),
        ("kuberntes", "did you mean 'kubernetes'?"),
        ("nosuch", "`netaudit services` lists all of it"),
        ("SSH", "did you mean 'ssh'?"),
        ("5433", "the nearest is 5432/tcp, postgresql"),
        ("ssh/udp", "it is for tcp"),
        ("443/", "write https, 5432 or 53/udp"),
    ):
        result = netaudit("services", question, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, ""), question
        assert f"hint: {hint}" in result.stderr


def test_a_run_is_named_by_its_folder(tmp_path: Path) -> None:
    by_file = netaudit("services", "https", "-i", make_evidence(tmp_path, web_1=ODD), cwd=tmp_path)
    by_folder = netaudit("services", "https", "-i", tmp_path, cwd=tmp_path)
    assert (by_folder.returncode, by_folder.stdout) == (by_file.returncode, by_file.stdout)


def test_one_host_that_was_not_read_is_one(tmp_path: Path) -> None:
    result = netaudit("services", "https", "-i", make_evidence(tmp_path, status="cut", web_1=ODD), cwd=tmp_path)
    assert (result.returncode, closing(result)) == (3, "exit 3: 1 of 1 host not read completely")


def test_hosts_that_disagree_are_named(tmp_path: Path) -> None:
    path = make_evidence(tmp_path, web_1=PLAIN, web_2=ODD, web_3=ODD)
    result = netaudit("services", "https/tcp", "-i", path, cwd=tmp_path)
    assert result.returncode == 0
    assert "https/tcp is 4444 there, and 443 in the trusted table: 2 of 3 (web_2, web_3)" in result.stdout
    plain = netaudit("services", "postgres", "-i", path, cwd=tmp_path).stdout
    assert plain.endswith("No difference in /etc/services of 3 hosts.\n")
    told = json.loads(netaudit("services", "--json", "-i", path, cwd=tmp_path).stdout)
    assert told["differences"] == [
        {"verdict": "elsewhere", "what": "https/tcp", "trusted": "443", "found": "4444", "hosts": ["web_2", "web_3"]}
    ]


def test_a_name_that_only_hosts_know_is_told_and_one_nobody_knows_is_an_error(tmp_path: Path) -> None:
    path = make_evidence(tmp_path, web_1=PLAIN, web_2=ODD)
    known = netaudit("services", "backdoor", "-i", path, cwd=tmp_path)
    assert known.returncode == 0
    assert "31337/tcp is called backdoor there; the trusted table does not have it: 1 of 2 (web_2)" in known.stdout
    assert netaudit("services", "nobody-has-this", "-i", path, cwd=tmp_path).returncode == 2


def test_a_host_that_was_not_read_makes_the_answer_incomplete(tmp_path: Path) -> None:
    path = make_evidence(tmp_path, lost=True, web_1=PLAIN)
    result = netaudit("services", "https", "-i", path, cwd=tmp_path)
    assert (result.returncode, closing(result)) == (3, "exit 3: 1 of 2 hosts not read completely")
    assert "gone: tcp/tcp-refused" in result.stderr


@pytest.mark.parametrize(("status", "table"), [("absent", b""), ("ok", b""), ("ok", b"# nothing\n")])
def test_a_host_without_a_table_does_not_agree_with_it(tmp_path: Path, status: str, table: bytes) -> None:
    path = make_evidence(tmp_path, status=status, web_1=table)
    result = netaudit("services", "https", "-i", path, cwd=tmp_path)
    assert result.returncode == 0
    assert "No difference" not in result.stdout
    assert result.stdout.endswith(
        "No /etc/services of a host was compared.\n1 host has no /etc/services, or nothing in it: web_1\n"
    )


def test_hosts_without_a_table_are_counted_apart(tmp_path: Path) -> None:
    path = make_evidence(tmp_path, web_1=PLAIN, web_2=b"", web_3=b"")
    result = netaudit("services", "postgres", "-i", path, cwd=tmp_path)
    assert "No difference in /etc/services of 1 host.\n" in result.stdout
    assert result.stdout.endswith("\n2 hosts have no /etc/services, or nothing in it: web_2, web_3\n")
    told = json.loads(netaudit("services", "--json", "-i", path, cwd=tmp_path).stdout)
    assert (told["hosts_read"], told["hosts_compared"], told["hosts_without_table"]) == (3, 1, ["web_2", "web_3"])


def test_a_table_that_is_denied_does_not_agree(tmp_path: Path) -> None:
    path = make_evidence(tmp_path, status="denied", web_1=b"")
    result = netaudit("services", "https", "-i", path, cwd=tmp_path)
    assert result.returncode == 3
    assert result.stdout.endswith("\nNo /etc/services of a host was compared.\n")


def test_live_hosts_are_asked(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 1\nhosts:\n  here: {connection: local}\n")
    result = netaudit("services", "ssh", "-i", "inventory.yaml", cwd=tmp_path)
    assert result.returncode == 0
    assert "of 1 host." in result.stdout
