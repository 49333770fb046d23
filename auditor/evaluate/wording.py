"""Listeners and lines in, the words findings use for them out."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from auditor.evaluate.match import Line
from auditor.model.address import join_port
from auditor.model.facts import Listener
from auditor.model.policy import Entry

ANYWHERE = "any"
_MOST = 20
"""Addresses spelled out in one sentence; a host may have thousands on one port."""


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def join_some(words: Sequence[str]) -> str:
    """Return `a, b and c`, or the first of very many and how many more there are."""
    return join_words(words if len(words) <= _MOST else [*words[:_MOST], f"{len(words) - _MOST} more"])


def name_port(listener: Listener) -> str:
    return f"{listener.port}/{listener.proto}"


def name_listeners(twins: Sequence[Listener]) -> str:
    """Return the subject of a finding: `tcp 0.0.0.0:23 and [::]:23 (telnet)`."""
    first = twins[0]
    places = join_some([join_port(address, first.port) for address in list_addresses(twins)])
    service = next((f" ({twin.service})" for twin in twins if twin.service), "")
    netns = "" if first.netns == "host" else f" in netns {first.netns}"
    return f"{first.proto} {places}{service}{netns}"


def list_addresses(twins: Iterable[Listener]) -> list[str]:
    """Return each address once, IPv4 before IPv6, in numeric order."""
    return sorted({twin.address for twin in twins}, key=_numeric)


def _numeric(text: str) -> tuple[int, int, str]:
    try:
        address = ip_address(text)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text


def name_binds(entry: Entry) -> str:
    """Return where an entry lets a listener bind: `any`, or `loopback or 10.0.0.0/8`."""
    return join_words([str(bind) for bind in entry.bind], "or") if entry.bind else ANYWHERE


def write_bind(twins: Sequence[Listener]) -> str:
    """Return the narrowest `bind:` value, in YAML, that accepts all of these listeners of one scope."""
    if twins[0].scope == "wildcard":
        return ANYWHERE
    addresses = list_addresses(twins)
    if twins[0].scope == "loopback" or len(addresses) > _MOST:
        return twins[0].scope
    return f"[{', '.join(_quote(address) for address in addresses)}]"


def _quote(address: str) -> str:
    return f'"{address}"' if ":" in address else address


def list_controls(line: Line) -> tuple[str, ...]:
    """Return the controls of an entry and of its policy, each once."""
    return tuple(dict.fromkeys((*line.entry.controls, *line.policy.controls)))
