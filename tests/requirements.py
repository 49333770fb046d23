"""What a test needs from the machine: skipped with the reason for a user, failed where CI=true."""

import os
import shutil

import pytest


def require(*needs: str) -> None:
    """Skip (or, in CI, fail) unless every need is met: a program's name, or `root`."""
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
    return shutil.which(need, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
