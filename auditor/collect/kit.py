"""An account and its key in, the commands out that set up a host for it with the least privilege.

The account can log in with that key only, from where it is said, and whatever it asks for, sshd starts the installed
collector. That belongs to root, so the account cannot change it; sudo starts one further program for it, and only while
its content has the digest that is written into the rule. Nothing else is granted, to the account or to netaudit.
"""

import hashlib
from dataclasses import dataclass

from auditor.collect.script import build_collector, build_owners_program

_END = "END-OF-FILE"


@dataclass(frozen=True, slots=True)
class Kit:
    """`key` is a line of a public key file, `sources` what `from=` in authorized_keys(5) takes ('' for anywhere),
    `folder` where the programs go. `owners`: with the program that sudo starts."""

    user: str
    key: str
    sources: str
    folder: str
    owners: bool

    @property
    def collector(self) -> str:
        return f"{self.folder}/{self.user}-collect"

    @property
    def owners_program(self) -> str:
        return f"{self.folder}/{self.user}-owners"


def build_kit(kit: Kit) -> str:
    """Return a shell script to read, and then to run as root on the host. Its values must need no quoting."""
    home = f"/var/lib/{kit.user}"
    collector = build_collector(kit.owners_program if kit.owners else "").decode("ascii")
    options = ["restrict", *([f'from="{kit.sources}"'] if kit.sources else []), f'command="{kit.collector}"']
    steps = [
        _HEAD.format(user=kit.user, home=home, folder=kit.folder),
        _put(kit.collector, "0755", collector),
    ]
    if kit.owners:
        program = build_owners_program().decode("ascii")
        digest = hashlib.sha256(program.encode("ascii")).hexdigest()
        rule = _SUDOERS.format(user=kit.user, digest=digest, program=kit.owners_program)
        steps += [
            "# Who holds the sockets is for root to see: sudo starts this program, while its digest is the one below.",
            _put(kit.owners_program, "0755", program),
            _put(f"/etc/sudoers.d/{kit.user}", "0440", rule, check="visudo -cqf"),
        ]
    keys = f"{','.join(options)} {kit.key}\n"
    steps += [
        "# The key. The folder and the file are root's, so that the account cannot give itself another.",
        f"install -d -m 0755 -o root -g root {home}/.ssh",
        _put(f"{home}/.ssh/authorized_keys", "0644", keys),
        "# The same again in the server's own words, for whichever key may come.",
        _put(f"/etc/ssh/sshd_config.d/{kit.user}.conf", "0644", _MATCH.format(user=kit.user, collector=kit.collector)),
        _TAIL.format(user=kit.user),
    ]
    return "\n".join(steps)


def _put(path: str, mode: str, text: str, check: str = "") -> str:
    """Return commands that put `text` into place at `path` in one step; `check`: only if this says yes to it."""
    checked = f'{check} "$new"\n' if check else ""
    return (
        f'new=$(mktemp)\ncat >"$new" <<\\{_END}\n{text}{_END}\n{checked}'
        f'install -m {mode} -o root -g root "$new" {path}\nrm -f "$new"\n'
    )


_HEAD = """#!/bin/sh
# Sets up this host for netaudit: read it, then run it as root. It can be run again, as after an update of netaudit.
set -eu
umask 022
id {user} >/dev/null 2>&1 || useradd --system --no-create-home --home-dir {home} --shell /bin/sh --password '*' {user}
install -d -m 0755 -o root -g root {home} {folder}

# The collector: all that the account can run over SSH. It reads the socket tables, and of its input only a nonce."""

_SUDOERS = """Defaults:{user} !requiretty, !lecture
{user} ALL=(root) NOPASSWD: sha256:{digest} {program} ""
"""

_MATCH = """Match User {user}
    ForceCommand {collector}
    AuthenticationMethods publickey
    PermitTTY no
    PermitUserRC no
    DisableForwarding yes
    MaxSessions 1
Match all
"""

_TAIL = """# sshd reads its configuration when it is reloaded. Does it include sshd_config.d? Then, as root:
#   sshd -t && systemctl reload ssh
echo "netaudit: this host is ready for {user}; check and reload sshd: sshd -t && systemctl reload ssh"
"""
