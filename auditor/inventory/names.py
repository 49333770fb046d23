"""Names of hosts and groups and addresses as written in; the same, checked, out.

A host's name becomes a file name, a word of a limit and a line of a report, and its address an argument of a
connection: neither may be mistaken for a path, an option or a pattern, or hide what it is.
"""

import re
from ipaddress import IPv6Address, ip_address

from auditor.document import mistake

MAX_LENGTH = 253  # of a DNS name: RFC 1035 §2.3.4, without the root's empty label
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


def check_host_name(name: str) -> str:
    """Return `name`. Raises a mistake when it cannot name a host; ranges are already unfolded."""
    return _check(name, "a host name", "._-%" if not is_ipv6(name.strip("[]")) else "._-%:[]")


def check_group_name(name: str) -> str:
    """Return `name`. Raises a mistake when it cannot name a group."""
    if name == "all":
        raise mistake("every host is in 'all'; it cannot be a group", "use defaults for what all hosts share")
    return _check(name, "a group name", "._-")


def check_address(address: str) -> str:
    """Return `address`, without the brackets of an IPv6 literal. Raises a mistake when it cannot be dialled."""
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    if is_ipv6(bare):
        return bare
    if "@" in address:
        raise mistake(f"{address!r} is not an address", "write the user as `user: …`")
    return _check(address, "an address", "._-%")


def check_user(user: str) -> str:
    """Return `user`. Raises a mistake when it is empty, unprintable or would read as an option."""
    if not user or user.startswith("-") or not user.isprintable() or any(map(str.isspace, user)):
        raise mistake(f"{user!r} cannot be a user name", "no spaces, no control characters, no leading '-'")
    return user


def is_ipv6(text: str) -> bool:
    """Return whether `text` is an IPv6 literal, a zone allowed (`fe80::1%eth0`)."""
    if ":" not in text:
        return False
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False


def _check(name: str, kind: str, marks: str) -> str:
    if not 0 < len(name) <= MAX_LENGTH:
        raise mistake(f"{kind} of {len(name)} characters", f"write 1 to {MAX_LENGTH}")
    if name[0] in "-.":
        raise mistake(f"{name!r} cannot be {kind}: it starts with {name[0]!r}", "start it with a letter or digit")
    if _PLAIN.fullmatch(name):  # nearly all, and allowed everywhere
        return name
    wrong = next((char for char in name if not (char.isalnum() or char in marks)), None)
    if wrong == ":":
        raise mistake(f"{name!r} cannot be {kind}: it holds ':'", "write the port as `port: …`")
    if wrong is not None:
        raise mistake(f"{name!r} cannot be {kind}: it holds {wrong!r}", f"letters, digits and {marks} are possible")
    return name
