"""net-tools over tables of our choice: the programs themselves say what a row must look like.

They run in mount namespaces of their own, with a folder of plain files in place of /proc, and where given in place of
files under /etc; interfaces are asked of the kernel by ioctl(2), so for those see live.py.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_SWITCH = {"etc/nsswitch.conf": b"hosts: files\nnetworks: files\nservices: files\nprotocols: files\npasswd: files\n"}
_SCRIPT = """
root=$1
shift
for file in hosts networks services protocols passwd nsswitch.conf; do
  [ ! -f "$root/etc/$file" ] || mount --bind "$root/etc/$file" "/etc/$file"
done
mount --bind "$root/proc" /proc
exec "$@"
"""


def run_over(files: Mapping[str, bytes], *command: str) -> str:
    """Return what a program prints on a host whose /proc and /etc are `files` (`proc/net/tcp`, `etc/hosts`)."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in {**_SWITCH, **files}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", _SCRIPT, "sh", folder, *command],
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "backslashreplace")
