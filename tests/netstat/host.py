"""A laboratory host with every kind of socket, looked at by net-tools from inside, and by netaudit."""

import re
import secrets
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from auditor.cli import app
from auditor.collect import build_script
from auditor.collect.sections import TABLE_GROUPS
from auditor.model.transcript import Transcript
from tests.lab.init import Machine
from tests.lab.namespace import ROOT, LabHost
from tests.netstat.busybox import run_script
from tests.requirements import require

FILES = {
    "/etc/nsswitch.conf": "hosts: files\nnetworks: files\nservices: files\nprotocols: files\npasswd: files\n",
    "/etc/hosts": "::1 ip6-localhost ip6-loopback\n127.0.0.1 localhost\n"
    "10.99.0.1 icebox-with-a-long-name.lan.example.com icebox\n::ffff:10.99.0.1 mapped\n",
    "/etc/services": "https 443/tcp\nhttps 443/udp\ndomain 53/udp\nwebcache 8081/tcp other\n"
    "hidden-by-the-next 5353/udp\nmdns 5353/udp\na-service-with-a-very-long-name 51111/tcp\n",
    "/etc/protocols": "icmp 1 ICMP\nipv6-icmp 58 IPv6-ICMP\n",
}
_TIMER = re.compile(r"(on|keepalive|timewait|probe|unkn-\d+) \([0-9.]+/\d+/\d+\)")
_ICMP = re.compile(r"^(raw6? +)\d+( +\d+ \S*:(?:icmp|ipv6-icmp|1|58) )")
_HEADINGS = ("Active ", "Proto ", "IPv6/IPv4 Group", "Interface ", "-----")


@contextmanager
def busy_host(folder: Path) -> Iterator[LabHost]:
    """Yield a running host; the folder takes what its first words are."""
    require("root", "namespaces", "ip", "nsenter", "netstat")
    with LabHost(Machine(hostname="icebox", files=FILES)) as lab:
        lab.start()
        note = folder / "note"
        python, place = shlex.quote(sys.executable), shlex.quote(str(ROOT))
        start = f"cd {place} && exec {python} -m tests.netstat.everything /run </dev/null >{note} 2>&1"
        wait = f"for n in $(seq 300); do grep -q . {note} && break; sleep 0.1; done; cat {note}"
        done = lab.run(["sh", "-c", f"({start}) & {wait}"])
        assert done.stdout == "ready\n", done.stdout + done.stderr
        yield lab


def run_all(lab: LabHost, commands: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the lines that each command prints inside the host, run one right after the other."""
    mark = "== next =="
    done = lab.run(["sh", "-ec", "".join(f"{shlex.join(words)}; echo '{mark}'\n" for words in commands)])
    assert (done.returncode, done.stderr) == (0, "")
    return [part.splitlines() for part in done.stdout.split(f"{mark}\n")[:-1]]


def run_nettools(lab: LabHost, flags: Sequence[str]) -> list[str]:
    """Return the lines of netstat inside the host."""
    (lines,) = run_all(lab, [["netstat", *flags]])
    return lines


def run_inside(lab: LabHost, arguments: Sequence[str]) -> list[str]:
    """Return the lines of netaudit that runs on the host itself."""
    done = lab.run(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "auditor", "netstat", "localhost", *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def show_saved(evidence: Path, arguments: Sequence[str]) -> list[str]:
    """Return the lines of netaudit over what the host answered before."""
    done = CliRunner().invoke(app, ["netstat", str(evidence), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def without_passing(lines: Sequence[str]) -> list[str]:
    """Return the lines but those of states that end by themselves within a minute or two."""
    return [line for line in lines if not re.search(r" (TIME_WAIT|SYN_SENT|SYN_RECV) ", line)]


def normalise(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return each table's headings with its rows sorted, without what changes from moment to moment: how far timers
    have run, and what waits in raw sockets of ICMP."""
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        if line.startswith(_HEADINGS):
            heading, rows = blocks[-1]
            if rows:
                blocks.append((line, []))
            else:
                blocks[-1] = (f"{heading}\n{line}", rows)
        else:
            blocks[-1][1].append(_ICMP.sub(r"\1N\2", _TIMER.sub(r"\1 (N)", line)))
    return [(heading, sorted(rows)) for heading, rows in blocks]


def ask(lab: LabHost, folder: Path, root: Path | None = None) -> Transcript:
    """Return what the script answers inside the host, with all there is to ask for; `root` is its file system."""
    nonce = secrets.token_hex(16)
    script = folder / f"{nonce}.sh"
    script.write_bytes(build_script(nonce, owners=True, tables=frozenset(TABLE_GROUPS)).text)
    started = datetime.now(UTC)
    if root is None:
        done = lab.run(["sh", str(script)])
        assert done.returncode == 0, done.stderr
        stdout = done.stdout
    else:
        stdout = run_script(lab, root, script)
    now = datetime.now(UTC)
    return Transcript(nonce=nonce, stdout=stdout.encode(), exit_status=0, started_at=started, finished_at=now)
