"""The whole command as its user meets it: files, streams, exit codes, interruption."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LENIENT = "version: 1\npolicy: lenient\ndefault: ignore\n"
LOCAL = "version: 1\nhosts:\n  here: {connection: local}\n"


def netaudit(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an inventory of this machine and a policy that objects to nothing."""
    (tmp_path / "inventory.yaml").write_text(LOCAL)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "lenient.yaml").write_text(LENIENT)
    return tmp_path


def test_a_run_leaves_its_files_in_a_folder_of_its_own(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", cwd=site)
    assert result.returncode == 0, result.stderr
    folder = site / "reports" / "latest"
    run_id = folder.readlink().name
    assert sorted(path.name for path in folder.iterdir()) == ["evidence.jsonl.gz", "report.html", "report.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    report = json.loads((folder / "report.json").read_text())
    assert report["run"]["id"] == run_id
    assert report["exit"]["code"] == 0
    assert result.stdout.startswith("PASS  1 of 1 host fully audited")
    assert result.stderr.splitlines()[-1].startswith("exit 0: ")


def test_standard_output_can_be_the_json_and_nothing_else(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", "-o", "json=-", cwd=site)
    assert json.loads(result.stdout)["kind"] == "netaudit.report"
    assert not (site / "reports").exists()


def test_a_strict_policy_fails_on_a_listener_the_test_opened(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        deny = f"deny:\n  - {{id: mine, port: {port}/tcp, severity: medium, reason: test}}\n"
        (site / "policies" / "lenient.yaml").write_text(LENIENT + deny)
        result = netaudit("run", "inventory.yaml", cwd=site)
        gentle = netaudit("run", "inventory.yaml", "--fail-on", "high", cwd=site)
        from_environment = netaudit("run", "inventory.yaml", cwd=site, NETAUDIT_FAIL_ON="high")
        (site / "netaudit.toml").write_text('fail_on = "high"\n')
        from_file = netaudit("run", "inventory.yaml", cwd=site)
        flag_wins = netaudit("run", "inventory.yaml", "--fail-on", "low", cwd=site, NETAUDIT_FAIL_ON="high")
    assert (result.returncode, flag_wins.returncode) == (1, 1)
    assert f"tcp 127.0.0.1:{port}" in result.stdout
    assert (gentle.returncode, from_environment.returncode, from_file.returncode) == (0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (["run", "inventory.yaml", "-l", "nobody"], 4, "exit 4: no host or group matches 'nobody'"),
        (["run", "missing.yaml"], 2, "exit 2: "),
        (["run", "inventory.yaml", "-o", "pdf"], 2, "exit 2: unknown format 'pdf'"),
        (["run", "inventory.yaml", "-o", "json=policies/lenient.yaml/x"], 5, "exit 5: cannot create"),
        (["check", "inventory.yaml"], 2, "exit 2: inventory.yaml"),
        (["report", "inventory.yaml"], 2, "exit 2: "),
        (["run", "inventory.yaml", "-l", "nobody", "--allow-empty"], 0, "exit 0: "),
    ],
)
def test_mistakes_end_with_their_code_and_reason(arguments: list[str], code: int, last: str, site: Path) -> None:
    result = netaudit(*arguments, cwd=site)
    assert result.returncode == code, result.stderr
    assert result.stderr.splitlines()[-1].startswith(last)
    assert "Traceback" not in result.stderr


def test_a_device_is_written_to_and_never_replaced(site: Path) -> None:
    os.mkfifo(site / "pipe")
    reader = subprocess.Popen(["cat", site / "pipe"], stdout=subprocess.PIPE)
    result = netaudit("run", "inventory.yaml", "-q", "-o", "json=pipe", cwd=site)
    read, _ = reader.communicate(timeout=30)
    assert result.returncode == 0, result.stderr
    assert json.loads(read)["kind"] == "netaudit.report"
    assert (site / "pipe").is_fifo()


def test_one_output_that_fails_costs_no_other(site: Path) -> None:
    (site / "file").write_text("")
    outputs = ["-o", "evidence=out/evidence.gz", "-o", "html=file/report.html", "-o", "json=report.json", "-o", "text"]
    result = netaudit("run", "inventory.yaml", *outputs, cwd=site)
    assert result.returncode == 5
    assert json.loads((site / "report.json").read_text())["exit"]["code"] == 0
    assert result.stdout.startswith("PASS")
    assert result.stderr.splitlines()[-1].startswith("exit 5: cannot create file: ")


def test_two_outputs_cannot_share_a_file(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", "-o", "json=x", "-o", "html=x", cwd=site)
    assert result.returncode == 2
    assert "two results would be written to x" in result.stderr


@pytest.mark.parametrize("arguments", [["run"], ["run", "inventory.yaml", "--fail-on", "hihg"], ["nonsense"]])
def test_wrong_usage_has_a_closing_line_too(arguments: list[str], site: Path) -> None:
    result = netaudit(*arguments, cwd=site)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "exit 2: wrong usage; no host was contacted"


def test_a_choice_that_is_not_there_is_told_in_plain_words(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", "--fail-on", "none", cwd=site)
    assert ": 'none' is not one of 'critical', 'high', 'medium', 'low', 'info'." in result.stderr
    assert "Value error" not in result.stderr


def test_a_full_standard_output_is_no_defect(site: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "auditor", "schema", "report"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 5
    last = process.stderr.splitlines()[-1]
    assert last == "exit 5: cannot write to standard output: No space left on device"


def test_the_demo_leaves_other_peoples_folders_alone(site: Path) -> None:
    before = (site / "inventory.yaml").read_text()
    result = netaudit("demo", "--output-dir", ".", cwd=site)
    assert result.returncode == 2
    assert "holds other files" in result.stderr
    assert (site / "inventory.yaml").read_text() == before


def test_a_reader_that_goes_away_is_no_drama(site: Path) -> None:
    command = f"{sys.executable} -m auditor run inventory.yaml -q -o json=- | head -c 1; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(
        ["bash", "-c", command], cwd=site, env=environment, capture_output=True, text=True, check=False
    )
    assert result.stdout == "{0\n"
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr


def test_evidence_replayed_or_checked_gives_the_same_bytes(site: Path) -> None:
    frozen = {"SOURCE_DATE_EPOCH": "1767323045"}
    made = netaudit("run", "inventory.yaml", "--output-dir", "one", cwd=site, **frozen)
    assert made.returncode == 0, made.stderr
    outputs = ["-o", "json=two/report.json", "-o", "html=two/report.html"]
    checked = netaudit("check", "one/evidence.jsonl.gz", *outputs, cwd=site)
    assert checked.returncode == 0, checked.stderr
    for name in ("report.json", "report.html"):
        assert (site / "two" / name).read_bytes() == (site / "one" / name).read_bytes()
    (site / "replay.yaml").write_text(
        "version: 1\nhosts:\n  here: {connection: replay, evidence: one/evidence.jsonl.gz}\n"
    )
    replayed = netaudit("run", "replay.yaml", "-o", "json=three.json", cwd=site)
    assert replayed.returncode == 0, replayed.stderr
    first, again = (json.loads((site / name).read_text())["hosts"][0] for name in ("one/report.json", "three.json"))
    assert again["listeners"] == first["listeners"]
    assert again["coverage"] == first["coverage"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo run: evidence of hosts of every status."""
    folder = tmp_path_factory.mktemp("demo")
    result = netaudit("demo", "--output-dir", "out", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder


def test_the_hash_seed_leaves_no_trace(demo: Path) -> None:
    for name, seed in (("one", "0"), ("two", "4711")):
        outputs = ["-o", f"json={name}.json", "-o", f"html={name}.html", "-o", f"text={name}.txt"]
        evidence = "out/evidence.jsonl.gz"
        result = netaudit("check", evidence, "-p", "out/policies", *outputs, cwd=demo, PYTHONHASHSEED=seed)
        assert result.returncode == 1, result.stderr
    for suffix in ("json", "html", "txt"):
        assert (demo / f"one.{suffix}").read_bytes() == (demo / f"two.{suffix}").read_bytes()


def test_a_saved_report_renders_to_the_same_bytes(demo: Path) -> None:
    result = netaudit("report", "out/report.json", "-o", "html=again.html", "-o", "json=again.json", cwd=demo)
    assert result.returncode == 0, result.stderr
    assert (demo / "again.html").read_bytes() == (demo / "out" / "report.html").read_bytes()
    assert (demo / "again.json").read_bytes() == (demo / "out" / "report.json").read_bytes()


def test_cut_off_evidence_is_partial_and_never_a_pass(demo: Path) -> None:
    whole = (demo / "out" / "evidence.jsonl.gz").read_bytes()
    (demo / "cut.jsonl.gz").write_bytes(whole[: len(whole) * 3 // 4])
    (demo / "lenient.yaml").write_text(LENIENT)
    result = netaudit("check", "cut.jsonl.gz", "-p", "lenient.yaml", "-o", "json=cut.json", cwd=demo)
    report = json.loads((demo / "cut.json").read_text())
    assert report["run"]["partial"] is True
    assert report["verdict"] != "pass"
    assert result.returncode == 3


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_writes_what_it_has(site: Path, silent_server: int, number: int, code: int) -> None:
    (site / "inventory.yaml").write_text(
        f"{LOCAL}  silent: {{address: 127.0.0.1, port: {silent_server}, user: nobody, timeout: 60, password: env:PW}}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", "run", "inventory.yaml", "-v", "--output-dir", "out"],
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PW": "unused"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("here: ")
    asked = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert time.monotonic() - asked < 12
    assert process.returncode == code, stderr
    assert stderr.splitlines()[-1].startswith(f"exit {code}: interrupted after 1 of 2 hosts")
    report = json.loads((site / "out" / "report.json").read_text())
    assert report["run"]["partial"] is True
    assert report["verdict"] == "incomplete"
    assert report["exit"]["code"] == code
    assert [host["name"] for host in report["hosts"]] == ["here", "silent"]
    missing = next(host for host in report["hosts"] if host["name"] == "silent")
    assert (missing["status"], missing["error"]["code"]) == ("unreachable", "interrupted")


def test_hosts_lists_what_the_inventory_means(site: Path) -> None:
    (site / "inventory.yaml").write_text(
        "version: 1\ndefaults: {user: audit}\ngroups: {web: }\n"
        "hosts:\n  web-[1:2]: {groups: [web]}\n  here: {connection: local}\n"
    )
    result = netaudit("hosts", "inventory.yaml", cwd=site)
    assert result.stdout.splitlines() == [
        "HOST   CONNECTION  TARGET          GROUPS  LABELS",
        "web-1  ssh         audit@web-1:22  web     -",
        "web-2  ssh         audit@web-2:22  web     -",
        "here   local       this machine    -       -",
    ]
    listed = json.loads(netaudit("hosts", "inventory.yaml", "-l", "web-2", "--json", cwd=site).stdout)
    assert [(host["name"], host["groups"]) for host in listed] == [("web-2", ["web"])]
