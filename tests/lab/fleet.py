"""A fleet of laboratory hosts, and `netaudit` run over it from a controller that can reach nothing else."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.lab.init import Machine
from tests.lab.namespace import ROOT, Controller, LabHost
from tests.lab.sockets import Wanted
from tests.lab.sshd import USER, make_key, write_accounts, write_config
from tests.requirements import require

NEEDS = ("root", "namespaces", "ip", "nsenter", "ss", "ssh-keygen", "sshd")
ANYTHING = "version: 1\npolicy: anything\nallow:\n  - {id: all, ports: [1-65535/tcp, 1-65535/udp], bind: any}\n"


@dataclass(frozen=True)
class Member:
    """A host of the fleet. `public_key` is its host key as known_hosts has it; `log` what its sshd says."""

    name: str
    number: int
    lab: LabHost
    public_key: str
    log: Path
    groups: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"10.77.{self.number}.2"

    def count_logins(self) -> int:
        """Return how many requests to log in this host's sshd has noted."""
        return self.log.read_text().count("userauth-request")


@dataclass(frozen=True)
class Outcome:
    """How a run of netaudit ended. `report` is its JSON, when it wrote one."""

    code: int
    stdout: str
    stderr: str
    report: dict[str, Any]

    @property
    def last_line(self) -> str:
        return self.stderr.rstrip().rpartition("\n")[2]

    def host(self, name: str) -> dict[str, Any]:
        assert self.report, self.stderr
        found: dict[str, Any] = next(host for host in self.report["hosts"] if host["name"] == name)
        return found


class LabFleet:
    """Hosts joined to one controller, with what a run needs in `folder`: inventory, keys, policies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members: dict[str, Member] = {}
        self._stack = ExitStack()
        self._client = make_key(folder / "client_key")
        self._runs = 0
        (folder / "policies").mkdir()
        self.write_policy("anything", ANYTHING)
        self.controller = Controller()
        self._stack.callback(self.controller.close)

    def add(
        self,
        name: str,
        *sockets: Wanted,
        groups: Sequence[str] = (),
        sshd: str = "",
        options: dict[str, Any] | None = None,
        behind: str = "",
        **machine: Any,
    ) -> Member:
        """Boot a host with these sockets. `sshd` adds to its sshd_config, `options` to its inventory entry.

        `behind`: the host whose cable it is on; the controller has no route to it then.
        """
        number = len(self.members) + 1
        home = self.folder / name
        home.mkdir()
        public_key = make_key(home / "host_key")
        lab = LabHost(
            Machine(
                hostname=name,
                interface="eth0",
                addresses=machine.pop("addresses", None) or _list_addresses(number),
                sshd=write_config(home / "host_key", extra=sshd),
                sshd_log=str(home / "sshd.log"),
                sockets=sockets,
                files={**write_accounts(self._client), **machine.pop("files", {})},
                **machine,
            )
        )
        self._stack.enter_context(lab)
        upstream = self.members[behind].lab if behind else self.controller
        lab.join(upstream, f"cable{number}", (f"10.77.{number}.1/30", f"2001:db8:77:{number}::1/64"))
        lab.start()
        log = home / "sshd.log"
        member = Member(name, number, lab, public_key, log, tuple(groups), dict(options or {}))
        self.members[name] = member
        return member

    def write_policy(self, name: str, text: str) -> Path:
        path = self.folder / "policies" / f"{name}.yaml"
        path.write_text(text)
        return path

    def run(
        self,
        *arguments: str,
        known: dict[str, str] | None = None,
        hosts: Sequence[str] | None = None,
        more_hosts: Mapping[str, dict[str, Any]] | None = None,
        more_known: str = "",
    ) -> Outcome:
        """Run `netaudit run` over these hosts (None: all).

        `known` says, by host, what known_hosts holds instead of the truth: '' nothing, or a key, which may have a
        marker such as @revoked in front. `more_hosts` are entries of the inventory, `more_known` lines of known_hosts,
        for hosts that are no members.
        """
        self._runs += 1
        keys = {name: member.public_key for name, member in self.members.items()} | (known or {})
        inventory = self._write_inventory(self.members if hosts is None else hosts, keys, more_hosts or {})
        with (self.folder / "known_hosts").open("a") as file:
            file.write(more_known)
        output = self.folder / f"run-{self._runs}"
        command = [sys.executable, "-m", "auditor", "run", str(inventory), "--output-dir", str(output), *arguments]
        done = self.controller.run(command, env={"PYTHONPATH": str(ROOT), "HOME": str(self.folder)})
        report = output / "report.json"
        return Outcome(
            done.returncode, done.stdout, done.stderr, json.loads(report.read_text()) if report.exists() else {}
        )

    def show(self, *arguments: str) -> Outcome:
        """Run `netaudit netstat` over all hosts."""
        keys = {name: member.public_key for name, member in self.members.items()}
        inventory = self._write_inventory(self.members, keys, {})
        command = [sys.executable, "-m", "auditor", "netstat", str(inventory), *arguments]
        done = self.controller.run(command, env={"PYTHONPATH": str(ROOT), "HOME": str(self.folder)})
        return Outcome(done.returncode, done.stdout, done.stderr, {})

    def _write_inventory(
        self,
        names: Sequence[str] | dict[str, Member],
        keys: dict[str, str],
        more_hosts: Mapping[str, dict[str, Any]],
    ) -> Path:
        chosen = [self.members[name] for name in names]
        lines = [_known_line(member.address, keys[member.name]) for member in chosen if keys[member.name]]
        (self.folder / "known_hosts").write_text("".join(lines))
        document = {
            "version": 1,
            "defaults": {"user": USER, "identity": "client_key", "known_hosts": "known_hosts", "timeout": 30},
            "hosts": {
                member.name: {"address": member.address, "groups": list(member.groups), **member.options}
                for member in chosen
            }
            | dict(more_hosts),
        }
        path = self.folder / "inventory.yaml"
        path.write_text(json.dumps(document, indent=1))  # JSON is YAML
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _list_addresses(number: int) -> tuple[str, ...]:
    return f"10.77.{number}.2/30", f"2001:db8:77:{number}::2/64", f"fe80::{number}/64"


def _known_line(address: str, key: str) -> str:
    marker, _, rest = key.partition(" ") if key.startswith("@") else ("", "", key)
    return f"{marker} {address} {rest}\n".lstrip()


@contextmanager
def lab_fleet(folder: Path) -> Iterator[LabFleet]:
    """Yield an empty fleet. Skips (or, in CI, fails) where the machine cannot make namespaces."""
    require(*NEEDS)
    with LabFleet(folder) as fleet:
        yield fleet
