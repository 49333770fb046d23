"""`netaudit netstat` as its user meets it: targets, fleets, formats, mistakes, exit codes."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli import app
from auditor.cli.evidence_place import seek_evidence
from auditor.model.transcript import Failure, Transcript
from auditor.netstat.rows import CONNECTION_FIELDS, UNIX_FIELDS
from tests.cli.program import ROOT
from tests.netstat.record import HEADER_UNIX, a_row, a_table, answer, save
from tests.requirements import require

EVIL_PATH = '=HYPERLINK("http://x")'
ICEBOX = {
    "etc/hosts": b"127.0.0.1 localhost\n10.0.0.1 ice\x1b[2Jbox\n10.0.0.2 =cmd|calc\n",
    "etc/services": b"https 443/tcp\n",
    "etc/passwd": b"www:x:33:33::/:\n",
    "proc/net/tcp": a_table(
        a_row(("10.0.0.1", 443), state=10, queues=(2, 0), uid=33, inode=1),
        a_row(("10.0.0.1", 443), ("10.0.0.2", 50000), 8, queues=(7, 9), timer=(2, 150, 1, 4), inode=2),
    ),
    "proc/net/unix": f"{HEADER_UNIX}\n{0:016}: 00000002 00000000 00010000 0001 01 7 {EVIL_PATH}\n".encode(),
}
QUIET = {"proc/net/tcp": a_table(a_row(("127.0.0.1", 22), state=10, inode=1))}
REFUSED = Failure(phase="tcp", code="tcp-refused", message="10.0.0.9 refused port 22", hint="is sshd running there?")


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return save(tmp_path / "one.jsonl.gz", {"icebox": answer(tmp_path / "icebox", ICEBOX)})


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    hosts: dict[str, Transcript | Failure] = {
        "web-02": answer(tmp_path / "quiet", QUIET),
        "down-01": REFUSED,
        "web-01": answer(tmp_path / "busy", ICEBOX),
    }
    return save(tmp_path / "fleet.jsonl.gz", hosts)


def netstat(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["netstat", *map(str, arguments)])


def last(result: Result) -> str:
    return result.stderr.rstrip().rpartition("\n")[2]


def test_several_hosts_have_one_table_with_the_host_in_front(fleet: Path) -> None:
    done = netstat(fleet, "-ltn")
    assert done.stdout.splitlines() == [
        "Active Internet connections (only servers)",
        "Host   Proto Recv-Q Send-Q Local Address           Foreign Address         State      ",
        "web-01 tcp        2      0 10.0.0.1:443            0.0.0.0:*               LISTEN     ",
        "web-02 tcp        0      0 127.0.0.1:22            0.0.0.0:*               LISTEN     ",
    ]


def test_a_run_is_named_by_its_folder(fleet: Path) -> None:
    folder = fleet.parent / "run"
    folder.mkdir()
    for name in ("evidence.jsonl.gz.part", "evidence.jsonl.gz"):
        (folder / name).write_bytes(fleet.read_bytes())
        assert netstat(folder, "-ltn").stdout == netstat(fleet, "-ltn").stdout
    kept = netstat(folder, "--save", folder / "more.gz")
    assert (kept.exit_code, f"{folder} is saved evidence" in kept.stderr) == (2, True)


def test_a_folder_that_holds_no_evidence_may_be_named_like_a_host(tmp_path: Path) -> None:
    (tmp_path / "localhost").mkdir()
    assert seek_evidence(str(tmp_path / "localhost")) is None


def test_one_host_that_was_not_read_is_one(tmp_path: Path) -> None:
    done = netstat(save(tmp_path / "lost.jsonl.gz", {"down-01": REFUSED}))
    assert (done.exit_code, last(done)) == (3, "exit 3: 1 of 1 host not read")


def test_a_host_that_was_not_read_is_never_silently_missing(fleet: Path) -> None:
    done = netstat(fleet, "-ltn")
    assert done.exit_code == 3
    assert "down-01: tcp/tcp-refused: 10.0.0.9 refused port 22\n  hint: is sshd running there?\n" in done.stderr
    assert last(done) == "exit 3: 1 of 3 hosts not read"
    hosts = json.loads(netstat(fleet, "--json", "-t").stdout)["hosts"]
    assert [(host["name"], host["status"]) for host in hosts] == [
        ("down-01", "unreachable"),
        ("web-01", "ok"),
        ("web-02", "ok"),
    ]
    assert hosts[0]["error"]["code"] == "tcp-refused"
    rows = list(csv.DictReader(StringIO(netstat(fleet, "--csv", "-t").stdout)))
    assert (rows[0]["host"], rows[0]["table"], rows[0]["problem"]) == (
        "down-01",
        "unreachable",
        "tcp/tcp-refused: 10.0.0.9 refused port 22",
    )


def test_a_heading_per_host_on_request(fleet: Path) -> None:
    lines = netstat(fleet, "-lt", "--group").stdout.splitlines()
    assert [lines[0], lines[4], lines[5]] == ["web-01:", "", "web-02:"]
    assert lines[1] == lines[6] == "Active Internet connections (only servers)"


def test_what_a_host_says_moves_no_cursor_and_runs_in_no_spreadsheet(one: Path) -> None:
    for flags in (["-aW"], ["-aW", "--csv"], ["-aW", "--json"]):
        shown = netstat(one, *flags).stdout
        assert "\x1b" not in shown
        assert "box" in shown
    assert "ice\\x1b[2Jbox:https" in netstat(one, "-aW").stdout
    rows = list(csv.DictReader(StringIO(netstat(one, "-a", "--csv").stdout)))
    assert [row["path"] for row in rows if row["table"] == "unix"] == [f"'{EVIL_PATH}"]
    assert "'=cmd|calc" in {row["remote_name"] for row in rows}


def test_json_has_every_field_of_every_row(one: Path) -> None:
    done = netstat(one, "-a", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    answered = json.loads(done.stdout)
    assert (answered["kind"], answered["schema_version"]) == ("netaudit.netstat", 1)
    (host,) = answered["hosts"]
    assert (host["error"], host["gaps"]) == (None, [])
    assert [tuple(row) for row in host["connections"]] == [CONNECTION_FIELDS] * 2
    assert host["connections"][1] == {
        "proto": "tcp",
        "recv_queue": 7,
        "send_queue": 9,
        "local_address": "10.0.0.1",
        "local_port": 443,
        "local_name": "ice\x1b[2Jbox",
        "local_service": "https",
        "remote_address": "10.0.0.2",
        "remote_port": 50000,
        "remote_name": "=cmd|calc",
        "remote_service": None,
        "state": "CLOSE_WAIT",
        "uid": 0,
        "user": None,
        "inode": 2,
        "timer": "keepalive",
        "timer_s": 1.5,
        "retransmits": 1,
        "probes": 4,
        "pids": [],
        "programs": [],
    }
    assert tuple(host["unix"][0]) == UNIX_FIELDS


def test_csv_has_the_same_columns_whatever_the_rows(one: Path, fleet: Path) -> None:
    heads = {netstat(path, "-t", "--csv", "--where", "port 1").stdout.splitlines()[0] for path in (one, fleet)}
    assert heads == {f"host,table,{','.join(CONNECTION_FIELDS)},problem"}


def test_states_are_counted_and_explained(one: Path) -> None:
    lines = netstat(one, "--states").stdout.splitlines()
    assert [line.split()[:3] for line in lines[2:]] == [
        ["tcp", "LISTEN", "1"],
        ["tcp", "CLOSE_WAIT", "1"],
        ["tcp", "ACCEPT_QUEUE", "2"],
    ]
    assert lines[3].endswith("  the application does not close")
    rows = json.loads(netstat(one, "--states", "--json").stdout)["hosts"][0]["states"]
    assert rows[1] == {
        "proto": "tcp",
        "state": "CLOSE_WAIT",
        "count": 1,
        "meaning": "the peer has closed, the application here has not",
        "many_suggest": "the application does not close",
    }


def test_twenty_thousand_connections_are_all_there(tmp_path: Path) -> None:
    """tests/bench/netstat.py has a host with real ones, and says what it costs."""
    ends = [(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 1024 + n) for n in range(20_000)]
    rows = [a_row(("192.0.2.1", 443), end, inode=n) for n, end in enumerate(ends, 1)]
    path = save(tmp_path / "busy.jsonl.gz", {"busy": answer(tmp_path / "root", {"proc/net/tcp": a_table(*rows)})})
    done = netstat(path, "-tn")
    assert (done.exit_code, done.stderr) == (0, "")
    shown = [line.split()[4] for line in done.stdout.splitlines()[2:]]
    assert shown == [f"{host}:{port}" for host, port in ends]
    one = netstat(path, "-tn", "--where", "dst 10.0.78.31")
    assert [line.split()[4] for line in one.stdout.splitlines()[2:]] == ["10.0.78.31:21023"]


def test_a_filter_that_cannot_be_answered_in_full_says_so(one: Path) -> None:
    """Evidence whose owners were looked for, but not found by root."""
    assert netstat(one, "--where", "dst 10.0.0.2").exit_code == 0
    done = netstat(one, "--where", "process nginx")
    assert done.exit_code == 3
    assert "not known: owners:" in done.stderr


def test_evidence_of_an_audit_says_what_it_lacks(tmp_path: Path) -> None:
    from auditor.collect import build_script

    require("ss")
    text = build_script("0" * 32).text
    done = subprocess.run(["/bin/sh", "-s"], input=text, capture_output=True, timeout=60, check=True, cwd="/")
    outcome = answer(tmp_path / "icebox", ICEBOX).model_copy(update={"nonce": "0" * 32, "stdout": done.stdout})
    path = save(tmp_path / "audit.jsonl.gz", {"here": outcome})
    shown = netstat(path, "-x")
    assert shown.exit_code == 3
    assert "not known: unix: of unix sockets only those that listen were fetched" in shown.stderr
    assert "(the host's own names for addresses were not read: they are shown as numbers)" in shown.stderr
    assert "names" not in netstat(path, "-xn").stderr
    routes = netstat(path, "-r")
    assert routes.exit_code == 3
    assert "not known: route:" in routes.stderr


def test_this_machine_needs_no_login(tmp_path: Path) -> None:
    require("ss")
    kept = tmp_path / "kept.jsonl.gz"
    live = netstat("localhost", "-ltn", "--save", kept)
    assert live.exit_code in {0, 3}
    assert live.stdout == netstat(kept, "-ltn").stdout
    assert "Kernel IP routing table" in netstat(kept, "-r").stdout


def test_without_a_target_it_is_netstat() -> None:
    assert netstat("-lt").stdout.splitlines()[0] == "Active Internet connections (only servers)"


def test_an_inventory_is_limited_and_asked_at_once(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yaml"
    entries = "".join(f"  here-{n}: {{connection: local, groups: [g{n}]}}\n" for n in range(3))
    inventory.write_text(
        f"version: 1\nhosts:\n{entries}  gone: {{address: 127.0.0.1, port: 1, user: nobody, known_hosts: none}}\n"
    )
    (tmp_path / "none").write_text("")
    done = netstat(inventory, "-i")
    assert done.exit_code == 3
    assert "gone: " in done.stderr
    hosts = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("here")}
    assert hosts == {"here-0", "here-1", "here-2"}
    limited = netstat(inventory, "--limit", "g1", "-i")
    assert "Host" not in limited.stdout
    assert limited.stdout.startswith("Kernel Interface table\nIface")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["localhost", "-ri"], 2, "routes and interfaces are different screens"),
        (["localhost", "-r", "--where", "state all"], 2, "--where chooses among sockets"),
        (["localhost", "--where", "state listning"], 2, "did you mean listening?"),
        (["localhost", "--json", "--csv"], 2, "--json and --csv exclude each other"),
        (["localhost", "other"], 2, "one target is enough"),
        (["localhost", "-c", "soon"], 2, "'soon' is no number of seconds"),
        (["localhost", "-c", "--save", "x.gz"], 2, "--save keeps one reading"),
        (["missing/inventory.yaml"], 2, "missing/inventory.yaml"),
    ],
)
def test_mistakes_are_told_before_any_host_is_asked(arguments: Sequence[str], code: int, message: str) -> None:
    done = netstat(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


def test_evidence_is_limited_by_name(fleet: Path) -> None:
    done = netstat(fleet, "--limit", "web-02", "-lt")
    assert (done.exit_code, "127.0.0.1" in netstat(fleet, "--limit", "web-02", "-ltn").stdout) == (0, True)
    assert netstat(fleet, "--limit", "db*", "-lt").exit_code == 4


def test_it_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "auditor", "netstat", "-tc", "0.2"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            heads = 0
            deadline = time.monotonic() + 60
            while heads < 3 and time.monotonic() < deadline:
                heads += process.stdout.readline().startswith("Active Internet connections")
            assert heads == 3
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()


def test_its_help_has_every_flag_of_netstats_help() -> None:
    """A person who knows netstat finds nothing to relearn, but for what docs/netstat.md says is not taken."""
    require("netstat")
    theirs = subprocess.run(["netstat", "--help"], capture_output=True, text=True, check=False)
    known = set(re.findall(r"^ +(-\w), --", theirs.stdout + theirs.stderr, re.MULTILINE))
    known |= set(re.findall(r"\{(-\w)\|--", theirs.stdout + theirs.stderr))
    long = set(re.findall(r"(?<=[ |])--[a-z-]+", theirs.stdout + theirs.stderr))
    ours = CliRunner().invoke(app, ["netstat", "--help"]).stdout
    differences = (ROOT / "docs" / "netstat.md").read_text().partition("## Where it differs")[2]
    assert len(known) > 15
    for flag in known:
        assert re.search(rf"^ +{flag}, --", ours, re.MULTILINE) or f"`{flag}`" in differences, flag
    not_taken = {"--masquerade", "--cache", "--context", "--sctp", "--ax", "--ipx", "--netrom", "--version"}
    assert {flag for flag in long if flag not in ours} <= not_taken


def test_families_by_name(one: Path) -> None:
    assert netstat(one, "-A", "inet", "-a").stdout == netstat(one, "-4a").stdout
    assert netstat(one, "-A", "inet6,unix", "-a").stdout == netstat(one, "-6xa").stdout
    assert netstat(one, "-A", "ipx").exit_code == 2
