"""`-o jsonl=-`: lines come while the run is still at work; `--explain-exit` says why."""

import json
import socket
from pathlib import Path

from tests.cli.site import make_site, netaudit, start


def test_a_host_is_on_standard_output_before_the_others_are_done(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = f"  slow: {{address: 127.0.0.1, port: {port}, user: nobody, password: env:STREAM_TEST, timeout: 50}}\n"
        (site / "inventory.yaml").write_text((site / "inventory.yaml").read_text() + slow)
        with start("run", "inventory.yaml", "-o", "jsonl=-", cwd=site, STREAM_TEST="x") as process:
            assert process.stdout is not None
            head, first = (json.loads(process.stdout.readline()) for _ in range(2))
            running = process.poll()
            silent.close()  # the kernel resets the connection nobody accepted: the slow host is done
            rest = [json.loads(line) for line in process.stdout]
            code = process.wait(timeout=30)
    assert running is None
    assert (head["kind"], first["host"]["name"]) == ("netaudit.run", "here")
    assert [line["kind"] for line in rest] == ["netaudit.host", "netaudit.end"]
    assert rest[0]["host"]["status"] == "unreachable"
    assert (code, rest[1]["exit"]["code"]) == (3, 3)


def test_nothing_else_goes_to_standard_output(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    lines = netaudit("run", "inventory.yaml", "-o", "jsonl=-", "-o", "json=r.json", cwd=site).stdout.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["netaudit.run", "netaudit.host", "netaudit.end"]
    assert json.loads(lines[1])["host"] == json.loads((site / "r.json").read_text())["hosts"][0]


def test_a_file_has_the_same_lines(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    result = netaudit("run", "inventory.yaml", "-o", "jsonl=r.jsonl", "-o", "json=r.json", cwd=site)
    assert result.stdout.startswith("PASS")
    assert len((site / "r.jsonl").read_text().splitlines()) == 3
    again = netaudit("report", "r.json", "-o", "jsonl=-", cwd=site)
    assert again.stdout == (site / "r.jsonl").read_text()


def test_explain_exit_names_the_reasons_and_what_would_change_them(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    (site / "inventory.yaml").write_text("version: 1\nhosts:\n  gone: {address: 127.0.0.1, port: 1, user: nobody}\n")
    result = netaudit("run", "inventory.yaml", "-o", "json=r.json", "--explain-exit", cwd=site)
    assert result.returncode == 3
    told = result.stderr[result.stderr.index("why exit 3:") :].splitlines()
    assert told[1].startswith("  because: 1 of 1 host not audited (1 ")
    assert "  unreachable: gone" in told
    assert any(line.startswith("  to change it: make the hosts") for line in told)
    assert told[-1] == told[1].replace("  because", "exit 3")
    later = netaudit("report", "r.json", "-o", "text", "--explain-exit", cwd=site)
    assert later.stderr.splitlines() == told[:-1]


def test_an_unavailable_format_ends_the_run_before_any_host_is_asked(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    blocked = netaudit("run", "inventory.yaml", "-o", "pdf", cwd=site)
    assert blocked.returncode == 2
    assert "unknown format 'pdf'" in blocked.stderr
