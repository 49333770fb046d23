"""AuditReport in, one that names no host out: stable pseudonyms for names and addresses, and no evidence.

The same name has the same pseudonym in every report, so that reports can still be compared. It is a keyed digest:
without a key of one's own, whoever guesses a name can check the guess. What cannot go through a pseudonym is left out:
kernel lines, checksums of tables, host keys, unix paths, command lines, labels, the rules of firewalls, who ran the
audit and how. Ports stay, and groups, addresses of listeners that are not their host's, and what policies say.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from hmac import digest
from ipaddress import ip_address
from typing import Any

from auditor.model.report import AuditReport, HostReport

_SHORTEST = 3
"""Characters of a name that is looked for within texts; shorter ones are replaced where they stand alone."""
_EMPTIED: dict[str, Any] = {"raw": "", "cmdline": None, "sha256": None, "host_key": None, "labels": {}, "unix": []}
"""Fields by name, wherever they stand, and what is put in their place."""
_ID = re.compile("[0-9a-f]{32}")
_TOKEN = re.compile(r"[\w.:%-]+")

Names = Mapping[str, str]
"""What hosts are called, and the pseudonym of each."""


def redact_hosts(report: AuditReport, key: bytes = b"") -> AuditReport:
    """Return `report` with pseudonyms in the place of hosts. Equal reports and keys give equal reports."""
    hide = partial(_make_pseudonym, key)
    names = {name: hide(name) for name in _list_compared(report)}
    for host in report.hosts:
        names[host.name] = hide(host.name)
        if not _is_general(host.address):
            names.setdefault(host.address, hide(host.name))
    rest = _redact(report.model_dump(mode="json", exclude={"hosts", "run"}), names, hide)
    return AuditReport.model_validate(
        {
            **rest,
            "run": {**report.run.model_dump(mode="json"), "operator": "", "command": ""},
            "hosts": sorted((_redact_host(host, names, hide) for host in report.hosts), key=lambda host: host["name"]),
        }
    )


def _redact_host(host: HostReport, names: Names, hide: Callable[[str], str]) -> dict[str, Any]:
    """Return a host as plain data. What it calls itself is looked for in its own data alone: it may be any word."""
    called = host.facts.hostname if host.facts else None
    own = {called: names[host.name]} if called and not _is_general(called) else {}
    plain: dict[str, Any] = _redact(host.model_dump(mode="json"), {**own, **names}, hide)
    return {**plain, "name": names[host.name], "address": names[host.name]}


def _list_compared(report: AuditReport) -> Iterable[str]:
    """Yield the hosts of the report this one was compared with, as far as they are named."""
    if report.changes is not None:
        yield from (change.host for change in report.changes.hosts)
        yield from (change.host for change in report.changes.listeners)
        yield from (change.host for change in report.changes.findings)
        yield from (caveat.host for caveat in report.changes.caveats if caveat.host is not None)


def _is_general(name: str) -> bool:
    """Return whether a name says nothing about which host it is."""
    if name in {"localhost", "localhost.localdomain"}:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _make_pseudonym(key: bytes, name: str) -> str:
    return f"host-{digest(key or b'netaudit', name.encode(errors='surrogatepass'), 'sha256').hex()[:10]}"


def _redact(value: Any, names: Names, hide: Callable[[str], str]) -> Any:
    match value:
        case str():
            return names.get(value) or _TOKEN.sub(lambda token: _replace(token[0], names), value)
        case dict():
            return {name: _redact_field(name, each, names, hide) for name, each in value.items()}
        case list():
            return [_redact(each, names, hide) for each in value]
        case _:
            return value


def _redact_field(name: str, value: Any, names: Names, hide: Callable[[str], str]) -> Any:
    if name in _EMPTIED:
        return _EMPTIED[name]
    if name == "id" and isinstance(value, str) and _ID.fullmatch(value):  # a finding's, made of its host among others
        return sha256(hide(value).encode()).hexdigest()[:32]
    return _redact(value, names, hide)


def _replace(token: str, names: Names) -> str:
    """Return a word of a text with the host it names replaced: `web-01:22`, or `web-01.example.com` for `web-01`."""
    bare = token.rstrip(".:")
    name, colon, port = bare.rpartition(":")
    if bare not in names and name in names and len(name) >= _SHORTEST:
        return f"{names[name]}{colon}{port}{token[len(bare) :]}"
    while len(bare) >= _SHORTEST:
        if bare in names:
            return f"{names[bare]}{token[len(token.rstrip('.:')) :]}"
        bare = bare.rpartition(".")[0]
    return token
