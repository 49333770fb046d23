"""Records the sample hosts of `netaudit demo`: boots each, logs in over SSH, keeps what the kernel prints.

    python -m tests.lab.record [NAME...]        (as root, from a checkout; writes auditor/demo/hosts/NAME/)

Needs ip, nsenter, unshare, ssh, ssh-keygen and sshd. Sockets, addresses and the session are real; see samples.py for
what is made up.
"""

import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.lab.byteorder import TABLES, turn_table
from tests.lab.init import Machine
from tests.lab.namespace import ROOT, Controller, LabHost
from tests.lab.samples import SAMPLES, Sample, private, public6
from tests.lab.sshd import USER, make_key, write_accounts, write_config

HOSTS = ROOT / "auditor" / "demo" / "hosts"
STATION = 250  # the last part of the addresses of the machine that logs in
_NET = (*TABLES, "packet", "unix", "snmp", "sockstat", "sockstat6", "if_inet6")
_FILES = (
    *(f"proc/net/{name}" for name in _NET),
    "proc/sys/kernel/hostname",
    "proc/sys/net/ipv4/ip_local_port_range",
    "proc/sys/net/ipv4/ip_local_reserved_ports",
    "proc/sys/net/ipv6/bindv6only",
    "etc/os-release",
    "etc/services",
    "sys/kernel/cpu_byteorder",
)
_CAPTURE = f"""\
for file in {" ".join(_FILES)}; do
  printf '%s ' "$file"; base64 -w0 <"/$file"; echo
done
printf 'SSH_CONNECTION '; printf '%s' "$SSH_CONNECTION" | base64 -w0; echo
printf 'id '; id | base64 -w0; echo
printf 'again '; cat /proc/net/sockstat /proc/net/sockstat6 | base64 -w0; echo
"""


def main(names: list[str]) -> None:
    """Record the samples of these names, or all of them."""
    for name in names or sorted(SAMPLES):
        with tempfile.TemporaryDirectory() as folder:
            captured = _record(name, SAMPLES[name], Path(folder))
        _keep(HOSTS / name, SAMPLES[name], captured)
        sys.stdout.write(f"{name}: {len(captured)} files\n")


def _record(name: str, sample: Sample, folder: Path) -> dict[str, bytes]:
    address = private(sample.number) if sample.ipv4 else public6(sample.number)
    client = make_key(folder / "client")
    machine = Machine(
        hostname=sample.hostname or name,
        interface="eth0",
        addresses=_list_addresses(sample),
        files={**write_accounts(client), "/etc/os-release": sample.os_release, "/etc/services": sample.services},
        proc_net=dict.fromkeys(sample.empty, ""),
        sshd=write_config(_host_key(folder)) + ("" if sample.ipv4 else "ListenAddress ::\n"),
        sshd_log=str(folder / "sshd.log"),
        sockets=sample.sockets,
    )
    controller = Controller()
    try:
        with LabHost(machine) as host:
            host.join(controller, "cable", (f"{private(STATION)}/24", f"{public6(STATION)}/64"))
            host.start()
            return _capture(controller, folder, address)
    finally:
        controller.close()


def _list_addresses(sample: Sample) -> tuple[str, ...]:
    ipv4 = (f"198.51.100.{sample.number}/24", f"{private(sample.number)}/24") if sample.ipv4 else ()
    return (*ipv4, f"{public6(sample.number)}/64", f"fe80::{sample.number}/64")


def _host_key(folder: Path) -> Path:
    make_key(folder / "host")
    return folder / "host"


def _capture(controller: Controller, folder: Path, address: str) -> dict[str, bytes]:
    """Read every file in one SSH session, again until the kernel counts as many sockets after as before."""
    options = ["-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={folder}/known_hosts"]
    command = ["ssh", "-i", str(folder / "client"), *options, f"{USER}@{address}", "exec /bin/sh -s"]
    for _ in range(10):
        done = controller.run(command, stdin=_CAPTURE)
        if done.returncode != 0:
            raise RuntimeError(done.stderr + (folder / "sshd.log").read_text())
        captured = {path: base64.b64decode(data) for path, _, data in map(_part, done.stdout.splitlines())}
        if captured.pop("again") == captured["proc/net/sockstat"] + captured["proc/net/sockstat6"]:
            return captured
    raise RuntimeError(f"{address}: sockets come and go, the recording would contradict itself")


def _part(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


def _keep(folder: Path, sample: Sample, captured: dict[str, bytes]) -> None:
    if sample.big_endian:
        captured = _turn(captured)
    session = {
        "ssh_connection": captured.pop("SSH_CONNECTION").decode(),
        "id": captured.pop("id").decode().strip(),
        "uname": list(sample.uname),
        "clock_skew_s": sample.clock_skew_s,
    }
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in captured.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (folder / "session.json").write_text(json.dumps(session, indent=2) + "\n")


def _turn(captured: dict[str, bytes]) -> dict[str, bytes]:
    turned = {f"proc/net/{name}": turn_table(captured[f"proc/net/{name}"].decode()).encode() for name in TABLES}
    return {**captured, **turned, "sys/kernel/cpu_byteorder": b"big\n"}


if __name__ == "__main__":
    main(sys.argv[1:])
