"""A host on which there is nothing but busybox: its file system, made of the machine's own busybox."""

import re
import shlex
import subprocess
from pathlib import Path

from tests.lab.namespace import LabHost

_ENTER = """
for name in dev proc; do mkdir -p {root}/$name; mount --rbind /$name {root}/$name; done
mkdir -p {root}/sys
mount -t sysfs sysfs {root}/sys
cp /etc/hosts /etc/services /etc/protocols /etc/passwd {root}/etc/
chroot {root} /bin/sh -s <{script}
"""


def make_root(folder: Path) -> Path:
    """Return a folder with busybox, its applets as links, and the libraries it needs; no other program."""
    for name in ("bin", "etc"):
        (folder / name).mkdir(parents=True)
    path = Path(subprocess.run(["which", "busybox"], capture_output=True, text=True, check=True).stdout.strip())
    (folder / "bin/busybox").write_bytes(path.read_bytes())
    (folder / "bin/busybox").chmod(0o755)
    for applet in subprocess.run([path, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            (folder / "bin" / applet).symlink_to("busybox")
    needed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"/[^ ]+\.so[^ ]*", needed):
        copy = folder / library.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(Path(library).read_bytes())
        copy.chmod(0o755)
    return folder


def run_script(lab: LabHost, root: Path, script: Path) -> str:
    """Return what the script prints inside the host, where it finds nothing but `root`."""
    text = _ENTER.format(root=shlex.quote(str(root)), script=shlex.quote(str(script)))
    done = lab.run(["unshare", "--mount", "sh", "-c", text])
    assert done.returncode == 0, done.stderr
    return done.stdout
