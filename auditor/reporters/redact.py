"""AuditReport in, one that names no host out: stable pseudonyms for names and addresses, and no evidence.

The same name has the same pseudonym in every report, so that reports can still be compared. It is a keyed digest:
without a key of one's own, whoever guesses a name can check the guess. What cannot go through a pseudonym is left out:
kernel lines, checksums of tables, host keys, unix paths, command lines, labels, the rules of firewalls, what a host
said instead of its tables, who ran the audit and how. Ports stay, and groups, networks, and what policies say.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from auditor.model.report import AuditReport, HostReport
from auditor.reporters.pseudonyms import Pseudonyms, is_general, make_pseudonym, spell

_EMPTIED: dict[str, Any] = {"raw": "", "cmdline": None, "sha256": None, "host_key": None, "labels": {}, "unix": []}
"""Fields of a host by name, wherever they stand, and what is put in their place."""
_OWN_WORDS = frozenset(
    {"kind", "verdict", "status", "severity", "rule", "phase", "code", "source", "proto", "family", "scope", "seen"}
    | {"direction", "dual_stack", "owner_status", "byte_order", "reader_netns", "host_key_trust", "host_keys", "sha256"}
)
"""Fields that hold netaudit's own words, never a host's: a host may be called `tcp`, or `high`."""
_QUOTED = re.compile('".*"', re.DOTALL)
_NAMED = re.compile(
    r"(?:jump host |chain: | > |key for \S+ \(as |-R '\[?|not for )([\w.-]+)"
    r"|\bit is for (.+?), not for "
)
"""Where a failure names what need not be in the report: a jump host, an alias, whoever a certificate is for."""
_ID = re.compile("[0-9a-f]{32}")


def redact_hosts(report: AuditReport, key: bytes = b"") -> AuditReport:
    """Return `report` with pseudonyms in the place of hosts. Equal reports and keys give equal reports."""
    names = {name: make_pseudonym(key, name) for name in _list_compared(report)}
    for host in report.hosts:
        names[host.name] = make_pseudonym(key, host.name)
    for host in report.hosts:
        for called in (host.name, host.address, spell(host.name), spell(host.address)):
            if not is_general(called):
                names.setdefault(called, names[host.name])
    pseudonyms = Pseudonyms(key, names)
    run = report.run.model_copy(update={"operator": "", "command": ""})
    plain = report.model_copy(update={"run": run}).model_dump(mode="json", exclude={"hosts"})
    hosts = sorted((_redact_host(host, pseudonyms) for host in report.hosts), key=lambda host: host["name"])
    return AuditReport.model_validate({**_redact(plain, pseudonyms), "hosts": hosts})


def _redact_host(host: HostReport, pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Return a host as plain data. What it calls itself is looked for in its own data alone: it may be any word."""
    called = host.facts.hostname if host.facts else None
    own = pseudonyms.within({called: pseudonyms.names[host.name]} if called and not is_general(called) else {})
    plain: dict[str, Any] = _redact(_empty(host.model_dump(mode="json")), own)
    return {**plain, "name": pseudonyms.names[host.name], "address": pseudonyms.names[host.name]}


def _list_compared(report: AuditReport) -> Iterable[str]:
    """Yield the hosts of the report this one was compared with, as far as they are named."""
    if report.changes is not None:
        yield from (change.host for change in report.changes.hosts)
        yield from (change.host for change in report.changes.listeners)
        yield from (change.host for change in report.changes.findings)
        yield from (caveat.host for caveat in report.changes.caveats if caveat.host is not None)


def _empty(value: Any) -> Any:
    match value:
        case dict():
            return {name: _EMPTIED[name] if name in _EMPTIED else _empty(each) for name, each in value.items()}
        case list():
            return [_empty(each) for each in value]
        case _:
            return value


def _redact(value: Any, pseudonyms: Pseudonyms) -> Any:
    match value:
        case str():
            return pseudonyms.redact(value)
        case dict():
            plain, known = _tell_less(value, pseudonyms)
            return {name: _redact_field(name, each, known) for name, each in plain.items()}
        case list():
            return [_redact(each, pseudonyms) for each in value]
        case _:
            return value


def _redact_field(name: str, value: Any, pseudonyms: Pseudonyms) -> Any:
    if isinstance(value, str):
        if name in _OWN_WORDS:
            return value
        if name == "id" and _ID.fullmatch(value):  # a finding's, made of its host among others
            return sha256(make_pseudonym(pseudonyms.key, value).encode()).hexdigest()[:32]
    return _redact(value, pseudonyms)


def _tell_less(value: dict[str, Any], pseudonyms: Pseudonyms) -> tuple[dict[str, Any], Pseudonyms]:
    """Return why a host was not read, whole or at all, without what it said itself, and with the names in it known."""
    if "phase" in value or value.get("rule") in {"evidence-gap", "unreachable"}:
        field = "message"
    elif "reason" in value and ("source" in value or "host" in value):
        field = "reason"
    else:
        return value, pseudonyms
    plain = {**value, field: _QUOTED.sub('"…"', value[field])}
    texts = (plain.get(name, "") for name in (field, "hint", "remediation"))
    found = [word for text in texts for one, many in _NAMED.findall(text) for word in (one, *many.split(", ")) if word]
    names = {word.rstrip("."): make_pseudonym(pseudonyms.key, word.rstrip(".")) for word in found}
    return plain, pseudonyms.within({name: each for name, each in names.items() if not is_general(name)})
