"""The road without a network: saved evidence of many hosts judged, reported as JSON and as HTML, by one process.

The hosts are what the script prints on an ordinary server: 30 listeners with owners, /etc/services of Debian's size.
Policies of 50 and of 2,000 entries show what a longer policy costs.
"""

from pathlib import Path

from auditor.collect.sections import SECTIONS
from auditor.model.transcript import Evidence, EvidenceHeader, Session
from auditor.transport.evidence import EvidenceWriter
from tests.bench.fleet import NETAUDIT
from tests.bench.process import Cost, run
from tests.bench.table import Row, show
from tests.builders import NOW, a_host
from tests.collect.answers import NONCE, a_transcript, frame_section
from tests.collect.answers import begin as begin_frame
from tests.collect.answers import end as end_frame
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, tcp_row
from tests.parse.snapshots import a_snapshot, sockstat, sockstat6

LISTENERS = 30
CLIENT = ("127.0.0.1", 54321)


def measure(folder: Path, hosts: int) -> tuple[list[Row], str]:
    """Return a row per way of judging the same evidence."""
    evidence = folder / "evidence.jsonl.gz"
    write_evidence(evidence, hosts)
    short, long = folder / "short.yaml", folder / "long.yaml"
    short.write_text(write_policy(50))
    long.write_text(write_policy(2_000))
    ways = {
        "check, 50 entries, summary": ["-p", str(short)],
        "check, 2,000 entries, summary": ["-p", str(long)],
        "check, 50 entries, JSON": ["-p", str(short), "-o", "json=report.json"],
        "check, 50 entries, HTML": ["-p", str(short), "-o", "html=report.html"],
    }
    rows = [
        _sum_up(way, run([NETAUDIT, "check", str(evidence), *options], folder), hosts) for way, options in ways.items()
    ]
    html = folder / "report.html"
    note = (
        f"{hosts:,} hosts of {LISTENERS} listeners. The HTML file has {html.stat().st_size / 1e6:.2f} MB."
        if html.exists()
        else ""
    )
    return rows, show("Offline", rows, note)


def _sum_up(way: str, cost: Cost, hosts: int) -> Row:
    good = cost.code in {0, 1, 3}
    return {
        "way": way,
        "CPU s": cost.cpu,
        "wall s": cost.wall,
        "ms/host": 1000 * cost.cpu / hosts,
        "MiB": cost.memory / 2**20,
        "exit": str(cost.code) if good else cost.output[-300:],
    }


def write_policy(entries: int) -> str:
    """Return a policy whose first entries allow what the hosts listen on, and the others what nobody does."""
    head = "version: 1\npolicy: long\ndefault: deny\nallow:\n"
    spans = (f"{1024 + 20 * number}-{1024 + 20 * number + 19}/tcp" for number in range(entries))
    return head + "".join(f"  - {{id: e{number}, ports: [{span}]}}\n" for number, span in enumerate(spans))


def write_evidence(path: Path, hosts: int) -> None:
    """Write what so many hosts answered; each has ports of its own."""
    header = EvidenceHeader(run_id="bench", started_at=NOW, inventory_path="inventory.yaml", inventory_sha256="0" * 64)
    services = read_services()
    shared: dict[str, bytes] = {}
    with EvidenceWriter(path, header) as writer:
        for number in range(hosts):
            transcript = a_transcript(_answer(number, services, shared), session=Session(address="127.0.0.1"))
            host = a_host(f"host-{number:05d}.example.com", address="127.0.0.1", groups=(f"site-{number % 12:02d}",))
            writer.append(Evidence(host=host, outcome=transcript, finished_at=NOW))
        writer.finish(partial=False)


def read_services() -> bytes:
    path = Path("/etc/services")
    return path.read_bytes() if path.exists() else b"ssh 22/tcp\n"


def _answer(number: int, services: bytes, shared: dict[str, bytes]) -> bytes:
    ports = [22, *(1024 + (number * 7 + at * 37) % 1_000 for at in range(LISTENERS - 11))]
    four = b"".join(tcp_row("0.0.0.0", port, inode=number * 100 + at) for at, port in enumerate(ports))
    own = tcp_row("127.0.0.1", 22, state=1, peer=CLIENT, inode=4)
    six = b"".join(tcp_row("::", port, inode=number * 100 + 50 + at) for at, port in enumerate(ports[:10]))
    snapshot = a_snapshot(
        hostname=b"host-%05d\n" % number,
        ssh_connection=b"%s %d 127.0.0.1 22\n" % (CLIENT[0].encode(), CLIENT[1]),
        tcp=TCP_HEADER + four + own,
        tcp6=TCP6_HEADER + six,
        sockstat_1=sockstat(tcp=LISTENERS - 9), sockstat_2=sockstat(tcp=LISTENERS - 9),
        sockstat6_1=sockstat6(tcp=10), sockstat6_2=sockstat6(tcp=10),
        services=services,
    )  # fmt: skip
    parts = []
    names = [name for name in SECTIONS if name in snapshot.sections]
    for name in names:
        section = snapshot.sections[name]
        if name not in shared or name in {"hostname", "tcp", "tcp6"}:
            shared[name] = frame_section(name, section.data, section.status)
        parts.append(shared[name])
    return begin_frame(NONCE) + b"".join(parts) + end_frame(*names)
