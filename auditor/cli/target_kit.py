"""`netaudit target-kit`: what a host needs for the least privileged audit."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

_KEY = re.compile(r"(?:sk-)?(?:ssh-|ecdsa-sha2-)[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{40,}={0,3}(?: [A-Za-z0-9@._+-]{1,80})?")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_SOURCES = re.compile(r"[A-Za-z0-9.:/*?!,_-]{1,500}")
_FOLDER = re.compile(r"/[A-Za-z0-9._/-]{1,200}")


def target_kit(
    key: Annotated[Path, typer.Option("--key", metavar="FILE.pub", help="The public key that netaudit logs in with.")],
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="The account to make on the host.")] = "netaudit",
    sources: Annotated[
        str,
        typer.Option("--from", metavar="ADDRESSES", help="Where the key is good from, as in from= of authorized_keys."),
    ] = "",
    folder: Annotated[
        str, typer.Option("--folder", metavar="DIR", help="Where the programs go on the host.")
    ] = "/usr/local/libexec",
    owners: Annotated[
        bool, typer.Option("--owners/--no-owners", help="With the rule for sudo that shows which processes hold what.")
    ] = True,
) -> int:
    """Print a script that sets up a host: read it, then run it there as root."""
    from auditor.collect.kit import Kit, build_kit

    kit = Kit(
        user=_check(_USER, user, "--user", "a plain account name, such as netaudit"),
        key=_check(_KEY, _read_key(key), "--key", "a public key as ssh-keygen writes it: one line, type and base64"),
        sources=_check(_SOURCES, sources, "--from", "addresses and patterns with commas between them")
        if sources
        else "",
        folder=_check(_FOLDER, folder, "--folder", "an absolute path of plain characters").rstrip("/"),
        owners=owners,
    )
    sys.stdout.write(build_kit(kit))
    return 0


def _read_key(path: Path) -> str:
    from auditor.errors import UsageError

    try:
        return path.expanduser().read_text(encoding="ascii").strip()
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror}", "give the .pub file") from error
    except UnicodeDecodeError:
        return ""


def _check(pattern: re.Pattern[str], value: str, flag: str, wanted: str) -> str:
    """Return `value` when it is safe to stand in a shell script as it is. Raises UsageError, which never repeats it."""
    from auditor.errors import UsageError

    if not pattern.fullmatch(value):
        raise UsageError(f"{flag} is not what it should be", f"give {wanted}")
    return value
