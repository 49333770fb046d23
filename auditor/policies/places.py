"""The ports and binds of an entry or a waiver in, those of the model out; problems are noted in the document."""

from collections.abc import Sequence

from auditor.document import Document, Loc
from auditor.model.policy import Bind, Ports
from auditor.policies.binds import ANY, parse_bind
from auditor.policies.ports import parse_ports


def read_ports(document: Document, loc: Loc, texts: Sequence[str]) -> tuple[Ports, ...]:
    """Return the ports of a list at `loc`, without those that have a problem."""
    parsed: list[Ports] = []
    for index, text in enumerate(texts):
        with document.telling((*loc, index)):
            parsed.append(parse_ports(text))
    return tuple(parsed)


def read_binds(document: Document, loc: Loc, texts: Sequence[str]) -> tuple[Bind, ...] | None:
    """Return the binds of the mapping at `loc`, empty for any address; None when one of them has a problem."""
    before = len(document.problems)
    binds: list[Bind] = []
    for index, text in enumerate(texts):
        with document.telling((*loc, "bind", index)):
            bind = parse_bind(text)
            binds += [bind] if bind is not None else []
    if ANY in texts and len(texts) > 1:
        document.complain((*loc, "bind"), "any covers the rest of this list", "write any alone, or leave it out")
    return tuple(binds) if len(document.problems) == before else None


def check_packet_binds(document: Document, loc: Loc, ports: Sequence[Ports], binds: Sequence[Bind]) -> None:
    """Complain when a packet socket, which has no address, is to be bound to one."""
    if any(str(bind) != "wildcard" for bind in binds) and any(one.proto == "packet" for one in ports):
        message = "a packet socket sees every address of its interface: it has none"
        document.complain((*loc, "bind"), message, "remove bind, or give packet an entry of its own", key=True)
