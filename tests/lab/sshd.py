"""What a laboratory host's sshd is made of: real keys from ssh-keygen, its configuration, the accounts it knows."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

HOME = "/run/audit"
USER = "audit"
PASSWD = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
systemd-resolve:x:101:101:systemd Resolver:/:/usr/sbin/nologin
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
postgres:x:105:105:PostgreSQL:/var/lib/postgresql:/usr/sbin/nologin
mysql:x:106:106:MySQL:/nonexistent:/usr/sbin/nologin
_chrony:x:110:110:chrony:/var/lib/chrony:/usr/sbin/nologin
prometheus:x:112:112:prometheus:/nonexistent:/usr/sbin/nologin
audit:x:990:990:netaudit:/run/audit:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\naudit:x:990:\nnogroup:x:65534:\n"
SHADOW = "".join(f"{line.split(':')[0]}:*:20000:0:99999:7:::\n" for line in PASSWD.splitlines())
"""No password, and not locked: `*` where `!` would make sshd refuse keys too."""


def make_key(path: Path, kind: str = "ed25519") -> str:
    """Write a new key pair at `path` and `path`.pub; return the public line without its comment."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_name(path.name + ".pub").read_text().strip()


def write_config(host_key: Path, *, ports: tuple[int, ...] = (22,), extra: str = "") -> str:
    """Return the text of an sshd_config: keys only, verbose enough to count every attempt to log in."""
    lines = [
        *(f"Port {port}" for port in ports),
        f"HostKey {host_key}",
        f"AuthorizedKeysFile {HOME}/authorized_keys",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PrintMotd no",
        "UseDNS no",
        "LogLevel DEBUG1",
        extra,
    ]
    return "\n".join(lines) + "\n"


def write_accounts(client_public: str) -> Mapping[str, str]:
    """Return the files, by path, that let the holder of `client_public` log in as `USER` without any privilege."""
    return {
        "/etc/passwd": PASSWD,
        "/etc/group": GROUP,
        "/etc/shadow": SHADOW,
        f"{HOME}/authorized_keys": client_public + "\n",
    }
