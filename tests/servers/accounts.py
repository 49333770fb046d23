"""Throwaway accounts and sudo rules of this machine, for one test: real ones, and gone when it ends."""

import contextlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_SUDOERS = Path("/etc/sudoers.d")


@contextlib.contextmanager
def an_account(password: str | None = None) -> Iterator[str]:
    """Yield the name of a new account; without a password, only a key opens it."""
    name = unique_name()
    _retry(["useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", "--password", "*", name])
    try:
        if password is not None:
            subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)
        yield name
    finally:
        remove_account(name)


def unique_name() -> str:
    """Return a name that no account has, here or in a test beside this one."""
    return f"na{os.getpid()}x{secrets.token_hex(4)}"


def remove_account(name: str) -> None:
    """Remove an account, if it is there, and what sudo remembers of it."""
    if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
        _retry(["userdel", name])
    for folder in ("/run/sudo/ts", "/var/lib/sudo/lectured", "/var/mail"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (Path(folder) / name).unlink()


def _retry(command: list[str]) -> None:
    """Run a command that takes the lock on /etc/passwd, which another test may hold."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for _ in range(50):
        if done.returncode == 0:
            return
        assert "lock" in done.stderr or "currently used" in done.stderr, done.stderr
        time.sleep(0.1)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    raise AssertionError(f"{command}: {done.stderr}")


@contextlib.contextmanager
def sudo_rules(name: str, *lines: str) -> Iterator[Path]:
    """Have these lines in force, checked by visudo first, so that a mistake here never locks anybody out."""
    path = _SUDOERS / name
    draft = Path(f"/tmp/{name}.sudoers")
    draft.write_text("".join(f"{line}\n" for line in lines))
    draft.chmod(0o440)
    try:
        subprocess.run(["visudo", "-cqf", str(draft)], check=True, capture_output=True)
        shutil.copyfile(draft, f"{path}.part")  # sudo reads no file with a dot in its name
        Path(f"{path}.part").chmod(0o440)
        Path(f"{path}.part").rename(path)
        yield path
    finally:
        draft.unlink()
        path.unlink(missing_ok=True)
