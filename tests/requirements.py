"""What a test needs from the machine: skipped with the reason for a user, failed where CI=true."""

import os
import shutil
import subprocess
from functools import cache

import pytest


def require(*needs: str) -> None:
    """Skip (or, in CI, fail) unless every need is met: a program's name, `root`, or `namespaces`."""
    missing = [need for need in needs if not _is_met(need)]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _is_met(need: str) -> bool:
    if need == "root":
        return os.geteuid() == 0
    if need == "namespaces":
        return _can_unshare()
    return shutil.which(need, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


@cache
def _can_unshare() -> bool:
    """Whether the kernel lets this user make namespaces: not in a plain container, not everywhere without root."""
    if not _is_met("unshare"):
        return False
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *mapped, "--net", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
