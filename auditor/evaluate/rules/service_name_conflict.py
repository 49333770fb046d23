"""`service-name-conflict`: the host's /etc/services gives a name the policies use to another port."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.names import Name
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.wording import join_words, list_controls
from auditor.model.finding import Finding
from auditor.model.policy import Ports


def find(case: Case, book: Rulebook) -> Iterable[tuple[Finding, Sequence[Ports]]]:
    """Yield one finding per name and protocol that means other ports on the host, and not the trusted one as well.

    Names never decide: the policies' ports are those of the trusted table. But who reads `https` in a netstat on that
    host would be misled.
    """
    labels = case.facts.services
    elsewhere = _find_ports(labels, book.names.keys())
    for (name, proto), found in elsewhere.items():
        for meaning in book.names[name]:
            if meaning.proto == proto and not any(_is_named(labels, meaning, ports) for ports in meaning.ports):
                yield _describe(case, meaning, sorted(found)), meaning.ports


def _is_named(labels: Mapping[str, str], meaning: Name, ports: Ports) -> bool:
    return labels.get(f"{ports.first}/{meaning.proto}") == meaning.name


def _find_ports(labels: Mapping[str, str], names: Collection[str]) -> dict[tuple[str, str], list[int]]:
    """Return the ports that the host gives a name of the policies to."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, name in [pair for pair in labels.items() if pair[1] in names] if names else ():
        port, _, proto = place.partition("/")
        if port.isascii() and port.isdecimal():
            found.setdefault((name, proto), []).append(int(port))
    return found


def _describe(case: Case, name: Name, found: list[int]) -> Finding:
    trusted = join_words([str(ports) for ports in name.ports])
    there = join_words([f"{port}/{name.proto}" for port in found])
    ports = ",".join(str(ports.first) for ports in name.ports)
    return Finding(
        id=fingerprint(Identity("service-name-conflict", case.host.name, "", name.proto, name.name, ports)),
        rule="service-name-conflict",
        severity="low",
        subject=f"{name.name}/{name.proto}",
        message=f"the host's own /etc/services calls {there} {name.name}; the policies mean {trusted}",
        remediation="Correct /etc/services on the host, or find out who changed it; listeners are judged by number.",
        controls=list_controls(name.line),
        origin=name.line.entry.origin,
    )
