"""netaudit and its peers against one real sshd: rounds in which each takes its turn, so that all see the same machine.

Every tool reaches the same hosts, one loopback address each, with the same key. The peers fetch the tables
(`cat /proc/net/… /etc/services`), or ask what they have a question for; netaudit does the whole audit: it collects,
parses, judges, and writes evidence, JSON and HTML. The peers live in a virtual environment of their own under build/.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.peers.job import Job
from tests.bench.process import Cost, read_cpu, run
from tests.bench.table import Row, show
from tests.servers.responder import USER, run_responder
from tests.servers.sshd import Sshd, make_key, run_sshd

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "build" / "peers"
SCRIPTS = Path(__file__).with_name("peers")
COMMAND = "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /etc/services"
WIDTH = 32
NETAUDIT = str(Path(sys.executable).with_name("netaudit"))
FAST = ("netaudit", "paramiko", "asyncssh", "parallel-ssh")
CHEAP = ("netaudit", "paramiko", "asyncssh")
_OPTIONS = ("MaxStartups 2000:100:2000", "MaxSessions 1000", "ListenAddress 0.0.0.0", "LogLevel INFO")
POLICY = """version: 1
policy: bench
default: deny
allow:
  - {id: ssh, port: 22/tcp}
  - {id: high, ports: [1024-65535/tcp, 1-65535/udp]}
"""


class Server(NamedTuple):
    """What answers for all hosts, and the key that logs in."""

    port: int
    user: str
    key: Path
    public_key: str
    pid: int


@dataclass
class Peer:
    """A tool: what starts it, the package it is judged by, and what it took in each round."""

    name: str
    package: str
    command: list[str]
    obstacle: str = ""
    costs: list[Cost] = field(default_factory=list)
    target: list[float] = field(default_factory=list)


def measure(folder: Path, hosts: int, rounds: int, *, slow: bool = True) -> tuple[list[Row], str]:
    """Return a row per tool and a table of them; without `slow`, of the fast ones only."""
    with run_sshd(folder / "sshd", _OPTIONS) as sshd:
        server = _know(sshd)
        peers = [peer for peer in _prepare(folder, server, hosts) if slow or peer.package in FAST]
        _race(peers, folder, server, rounds)
    return _tell(peers, hosts, rounds, "Tools, against one sshd")


def measure_cheap(folder: Path, hosts: int, rounds: int) -> tuple[list[Row], str]:
    """Return the same of the fastest, against a server that takes little of the cores: as if the hosts were others."""
    with run_responder("--version", "SSH-2.0-OpenSSH_9.2") as responder:
        server = Server(responder.port, USER, make_key(folder / "key"), responder.public_key, responder.pid)
        peers = [peer for peer in _prepare(folder, server, hosts) if peer.package in CHEAP]
        peers.insert(1, _vary(peers[0], "one process", [*peers[0].command, "--procs", "1"]))
        _race(peers, folder, server, rounds)
    return _tell(peers, hosts, rounds, "Tools, against the cheap responder")


def measure_behind(folder: Path, hosts: int, rounds: int) -> tuple[list[Row], str]:
    """Return a row for hosts reached straight, and some for the same behind a jump host, which all go through.

    ssh shares one connection to it among all hosts, as netaudit does.
    """
    with run_sshd(folder / "sshd", _OPTIONS) as sshd, run_sshd(folder / "edge", _OPTIONS) as edge:
        server = _know(sshd)
        peers = {peer.package: peer for peer in reversed(_prepare(folder, server, hosts))}
        with (folder / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.1]:{edge.port} {edge.public_key()}\n")
        _write_detour(folder, edge.port, str(edge.key))
        straight, by_ssh = peers["netaudit"], peers["ssh"]
        racers = [
            straight,
            _vary(straight, "behind it", [word.replace("inventory", "behind") for word in straight.command]),
            _vary(by_ssh, "behind it", [word.replace("ssh_options", "ssh_behind") for word in by_ssh.command]),
        ]
        _race(racers, folder, server, rounds)
    return _tell(racers, hosts, rounds, "Behind a jump host")


def _know(sshd: Sshd) -> Server:
    return Server(sshd.port, sshd.user, sshd.key, sshd.public_key(), sshd.pid)


def _vary(peer: Peer, how: str, command: list[str]) -> Peer:
    """Return the same tool, called otherwise, which has not run yet."""
    return replace(peer, name=f"{peer.name}, {how}", command=command, costs=[], target=[])


def _write_detour(folder: Path, port: int, key: str) -> None:
    """Write how netaudit and ssh get to the hosts through the jump host at this port."""
    job = Job(**json.loads((folder / "job.json").read_text()))
    edge = f"  edge: {{address: 127.0.0.1, port: {port}, identity: {key}}}\n"
    (folder / "behind.yaml").write_text(write_inventory(job, ", jump: edge") + edge)
    options = (folder / "ssh_options").read_text()
    shared = f"ControlMaster auto\nControlPath {folder}/edge.sock\nControlPersist 5\nIdentityFile {key}\n"
    (folder / "ssh_edge").write_text(shared + options)  # of two values the first holds: ssh_config(5)
    through = f"ProxyCommand ssh -F ssh_edge -p {port} -W [%h]:%p 127.0.0.1\n"
    (folder / "ssh_behind").write_text(through + options)


def _race(peers: Sequence[Peer], folder: Path, server: Server, rounds: int) -> None:
    for peer in peers:
        _take_turn(peer, folder, server, warm=True)
    for _ in range(rounds):
        for peer in peers:
            _take_turn(peer, folder, server)


def _tell(peers: Sequence[Peer], hosts: int, rounds: int, title: str) -> tuple[list[Row], str]:
    rows = _compare([_sum_up(peer, hosts) for peer in peers])
    cores = len(os.sched_getaffinity(0))
    note = (
        f"{hosts} hosts, medians of {rounds} rounds, {cores} cores, {WIDTH} at a time. CPU in ms per host: `client` is "
        "the tool with all it starts, `target` is the server with all it starts. `bound`: how near its wall time is to "
        "that of a client that costs nothing, whose server has all cores. `× client` and `× wall`: of the first row."
    )
    return rows, show(title, rows, note)


def _prepare(folder: Path, server: Server, hosts: int) -> list[Peer]:
    """Write what the tools need to know about the hosts, and return the tools."""
    addresses = [f"127.1.{number >> 8}.{number & 255}" for number in range(1, hosts + 1)]
    known = folder / "known_hosts"
    known.write_text("".join(f"[{address}]:{server.port} {server.public_key}\n" for address in addresses))
    job = Job(addresses, server.port, server.user, str(server.key), str(known), COMMAND, WIDTH)
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    (folder / "policies").mkdir()
    (folder / "policies" / "bench.yaml").write_text(POLICY)
    (folder / "inventory.yaml").write_text(write_inventory(job))
    _write_ansible(folder, job)
    _write_ssh(folder, job)
    return [_find_obstacle(peer) for peer in _list_peers(folder)]


def write_inventory(job: Job, more: str = "") -> str:
    """Return the hosts as netaudit wants them; `more` is added to each."""
    lines = [
        "version: 1",
        f"defaults: {{user: {job.user}, port: {job.port}, identity: {job.key}, known_hosts: [{job.known_hosts}]}}",
        "hosts:",
        *(f"  h{number}: {{address: {address}{more}}}" for number, address in enumerate(job.hosts)),
    ]
    return "\n".join(lines) + "\n"


def _write_ansible(folder: Path, job: Job) -> None:
    shared = f"ansible_user={job.user} ansible_port={job.port} ansible_ssh_private_key_file={job.key}"
    python = "ansible_python_interpreter=/usr/bin/python3"
    (folder / "ansible.ini").write_text("\n".join([*job.hosts, "[all:vars]", *f"{shared} {python}".split(), ""]))
    arguments = f"-o ControlMaster=no -o UserKnownHostsFile={job.known_hosts} -o KexAlgorithms=curve25519-sha256"
    (folder / "ansible.cfg").write_text(
        f"[defaults]\nforks={WIDTH}\ngathering=explicit\nhost_key_checking=True\nretry_files_enabled=False\n"
        f"[ssh_connection]\npipelining=True\nssh_args={arguments}\n"
    )
    (folder / "listen.yaml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - community.general.listen_ports_facts:\n"
    )


def _write_ssh(folder: Path, job: Job) -> None:
    (folder / "hosts.txt").write_text("\n".join(job.hosts) + "\n")
    (folder / "ssh_options").write_text(
        f"Port {job.port}\nUser {job.user}\nIdentityFile {job.key}\nIdentitiesOnly yes\nIdentityAgent none\n"
        f"UserKnownHostsFile {job.known_hosts}\nKexAlgorithms curve25519-sha256\nBatchMode yes\nControlPath none\n"
    )


def _list_peers(folder: Path) -> list[Peer]:
    python, scripts = str(PEERS / "venv" / "bin" / "python"), str(SCRIPTS)
    job = str(folder / "job.json")
    ansible = str(PEERS / "venv" / "bin" / "ansible")
    audit = [NETAUDIT, "run", "inventory.yaml", "-p", "policies/bench.yaml", "-q", "-j", str(WIDTH)]

    def script(name: str) -> list[str]:
        return [python, f"{scripts}/{name}.py", job]

    xargs = f"xargs -P {WIDTH} -I H ssh -F ssh_options H '{COMMAND}' <hosts.txt >/dev/null"
    return [
        Peer("netaudit run --no-owners", "netaudit", [*audit, "--no-owners", "--output-dir", "out"]),
        Peer("netaudit run", "netaudit", [*audit, "--output-dir", "out-owners"]),
        Peer("bare paramiko, cat", "paramiko", [sys.executable, f"{scripts}/paramiko_cat.py", job]),
        Peer("bare asyncssh, cat", "asyncssh", script("asyncssh_cat")),
        Peer("parallel-ssh, cat", "parallel-ssh", script("parallel_ssh_cat")),
        Peer("fabric, cat", "fabric", script("fabric_cat")),
        Peer("ssh under xargs, cat", "ssh", ["sh", "-c", xargs]),
        Peer("pyinfra, cat", "pyinfra", script("pyinfra_cat")),
        Peer("pytest-testinfra, get_listening_sockets", "pytest-testinfra", script("testinfra_sockets")),
        Peer("ansible raw", "ansible-core", [ansible, "-i", "ansible.ini", "all", "-m", "raw", "-a", COMMAND]),
        Peer(
            "ansible listen_ports_facts", "ansible",
            [f"{ansible}-playbook", "-i", "ansible.ini", "listen.yaml"],
        ),
    ]  # fmt: skip


def _find_obstacle(peer: Peer) -> Peer:
    """Say why a tool cannot take part: it is reported then, not dropped."""
    version = read_version(peer.package)
    if not version:
        peer.obstacle = f"{peer.package} is not installed: `make peers`"
    else:
        peer.name = f"{peer.name} ({version})"
    return peer


def read_version(package: str) -> str:
    """Return the version of a tool; '' when it is not there."""
    if package == "netaudit":
        return (
            subprocess.run([NETAUDIT, "version"], capture_output=True, text=True, check=True)
            .stdout.split("\n")[0]
            .split()[-1]
        )
    if package == "ssh":
        return "OpenSSH" if shutil.which("ssh") else ""
    query = f"from importlib.metadata import version; print(version({package!r}))"
    # The peers' paramiko is as old as fabric wants it; netaudit's own is the floor.
    python = Path(sys.executable) if package == "paramiko" else PEERS / "venv" / "bin" / "python"
    if not python.exists():
        return ""
    return subprocess.run([python, "-c", query], capture_output=True, text=True, check=False).stdout.strip()


def _take_turn(peer: Peer, folder: Path, server: Server, *, warm: bool = False) -> None:
    if peer.obstacle:
        return
    before = read_cpu(server.pid)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    env = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(home),
        "SSH_AUTH_SOCK": "",
        "HOME": str(home),
    }
    cost = run(peer.command, folder, env=env)
    if cost.code not in _good_codes(peer):
        peer.obstacle = f"failed with {cost.code}: {cost.output.strip()[-300:]}"
    elif not warm:
        peer.costs.append(cost)
        peer.target.append(read_cpu(server.pid) - before)


def _good_codes(peer: Peer) -> Sequence[int]:
    return (0, 1) if peer.package == "netaudit" else (0,)


def _compare(rows: list[Row]) -> list[Row]:
    """Return the rows with what each takes in terms of the first."""
    compared: list[Row] = []
    for row in rows:
        ratios = {f"× {key.split()[0]}": _divide(row[key], rows[0][key]) for key in ("client", "wall s")}
        compared.append({**{key: row[key] for key in row if key != "why not"}, **ratios, "why not": row["why not"]})
    return compared


def _divide(one: str | float, other: str | float) -> str | float:
    return one / other if isinstance(one, float) and isinstance(other, float) and other else ""


def _sum_up(peer: Peer, hosts: int) -> Row:
    if peer.obstacle or not peer.costs:
        return {
            "tool": peer.name,
            "client": "",
            "target": "",
            "wall s": "",
            "MiB": "",
            "bound": "",
            "why not": peer.obstacle,
        }
    wall, target = median(cost.wall for cost in peer.costs), median(peer.target)
    bound = target / len(os.sched_getaffinity(0)) / wall
    return {
        "tool": peer.name,
        "client": 1000 * median(cost.cpu for cost in peer.costs) / hosts,
        "target": 1000 * target / hosts,
        "wall s": wall,
        "MiB": max(cost.memory for cost in peer.costs) / 2**20,
        "bound": f"{bound:.0%}",
        "why not": "",
    }
