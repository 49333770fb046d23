"""Names of policies, entries and services as written in; the same, checked, out."""

import re

from auditor.document import mistake

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def check_name(name: str) -> str:
    """Return the name of a policy. Raises a mistake when it would not read well in a report or a file name."""
    return _check(name, "the name of a policy")


def check_id(name: str) -> str:
    """Return the id of an entry. Raises a mistake as `check_name` does."""
    return _check(name, "the id of an entry")


def check_service(name: str) -> str:
    """Return the name of a service, which may be as in services(5). Raises a mistake as `check_name` does."""
    if not any(char.isalpha() for char in name):
        raise mistake(f"{name!r} cannot be the name of a service: it holds no letter", "ports are written in `port: …`")
    return _check(name, "the name of a service")


def _check(name: str, kind: str) -> str:
    if not _NAME.fullmatch(name):
        raise mistake(f"{name!r} cannot be {kind}", "letters, digits and . _ - are possible, at most 100")
    return name
