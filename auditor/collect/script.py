"""A nonce in, the script for one host out; and the same script as a program to install on a host."""

import re
from collections.abc import Set
from functools import cache
from importlib.resources import files

from auditor.collect.sections import TABLE_GROUPS, TableGroup
from auditor.transport import Script

_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)

COLLECTOR_HEAD = b"""#!/bin/sh
# netaudit: prints this host's socket tables. Reads one line of its input, the nonce for this run, and nothing else.
IFS= read -r N
N=${N#N=}
case $N in
*[!0-9a-f]*) exit 64 ;;
????????????????????????????????) ;;
*) exit 64 ;;
esac
"""
"""What stands in place of the line `N=<nonce>` in a collector that is installed on a host."""


_TABLES = (
    ("names.sh", "hosts"),
    ("routes.sh", "route"),
    ("dev.sh", "dev"),
    ("links.sh", "links"),
    ("groups.sh", "igmp"),
    ("statistics.sh", "snmp"),
)
"""The pieces that print what TABLE_GROUPS lists, and the first section of each."""


def build_script(
    nonce: str,
    *,
    sudo: bool = False,
    password: bool = False,
    namespaces: bool = False,
    owners: bool = False,
    tables: Set[TableGroup] = frozenset(),
) -> Script:
    """Return the collection script with `nonce` (32 hex digits, from `secrets`) framing its answer.

    `sudo`: a table the account may not read is asked for again with `sudo -n cat`, and what needs root is asked for
    through `sudo -n`. Nothing else is ever raised. `password`: sudo may ask for one, with the script's `prompt`.
    `namespaces`: every other network namespace is read too. `owners`: who holds what listens is looked up.
    `tables`: what else is printed; with `connections` the tables of sockets come whole (of TCP's up to 80,000 rows,
    beyond that as ever), and the owners are those of every socket.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 32 lower-case hex digits")
    switch = "ask" if sudo and password else "yes" if sudo else "no"
    text = b"N=%s\n%s" % (nonce.encode(), _body(switch, namespaces, owners, frozenset(tables)))
    return Script(nonce=nonce, text=text, prompt=f"{nonce} sudo\n".encode() if switch == "ask" else b"")


def build_collector(owners_program: str = "") -> bytes:
    """Return the script as a program that takes its nonce from the first line of its input.

    `owners_program`: where the program that finds the owners is installed, for `sudo -n`; '' for no owners.
    """
    body = _body("no", False, bool(owners_program))
    return COLLECTOR_HEAD + body.replace(b"\nI=\n", b"\nI=%b\n" % owners_program.encode(), 1)


def build_owners_program() -> bytes:
    """Return the program that finds the owners of sockets, to be installed on a host and run by sudo."""
    path = b"PATH=/usr/bin:/bin:/usr/sbin:/sbin\nexport PATH\n"
    return b"#!/bin/sh\n# netaudit: prints who holds the sockets that listen. Run as root, without arguments.\n" + (
        path + _read("owners.sh")
    )


@cache
def _body(sudo: str, namespaces: bool, owners: bool, tables: frozenset[TableGroup] = frozenset()) -> bytes:
    """Return the script with its switches set, and in it the programs it is to run as root."""
    programs = {b"J": "nat.sh"}
    if namespaces:
        programs[b"Z"] = "namespaces.sh"
    if owners:
        programs[b"Q"] = "owners.sh"
    body = _read("probe.sh")
    body = body.replace(b"\nU=no\n", b"\nU=%b\n" % sudo.encode(), 1)
    if sudo == "ask":
        body = body.replace(b"\nexec </dev/null\n", b"\nexec 5<&0 </dev/null\n", 1)
    if "connections" in tables:
        body = body.replace(b"\nMOST=20000\n", b"\nMOST=80000\n", 1)
    for name, file in programs.items():
        program = _read(file)
        if file == "owners.sh":
            program = _widen_owners(program, sockets="connections" in tables, namespaces=namespaces)
        quoted = program.replace(b"'", b"'\\''")
        body = body.replace(b"\n%b=\n" % name, b"\n%b='\n%b'\n" % (name, quoted), 1)
    before, end, after = body.rpartition(b"\nprintf ")
    return before + _pieces(tables) + end + after


def _widen_owners(program: bytes, *, sockets: bool, namespaces: bool) -> bytes:
    """Return owners.sh with its switches set: for every socket, and for those of other network namespaces."""
    if sockets:
        program = program.replace(b"\nA=\n", b"\nA=all\n", 1)
    return program.replace(b"\nB=\n", b"\nB=all\n", 1) if namespaces else program


def _pieces(tables: frozenset[TableGroup]) -> bytes:
    """Return what prints the sections of these groups, to stand before the script's end."""
    sections = {section for group in tables for section in TABLE_GROUPS[group]}
    return b"".join(b"\n" + _read(f"tables/{file}").rstrip(b"\n") for file, section in _TABLES if section in sections)


def _read(name: str) -> bytes:
    """Return a script without comments and indentation: they would be sent to every host."""
    lines = files("auditor.collect").joinpath(name).read_bytes().split(b"\n")
    kept = [line.lstrip() for line in lines if line.strip() and not line.lstrip().startswith(b"#")]
    return b"\n".join(kept) + b"\n"
