"""Listeners and lines in, the words findings use for them out."""

from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from ipaddress import ip_address

from auditor.evaluate.match import Line
from auditor.evaluate.owners import Part, find_doubts
from auditor.model.address import join_port
from auditor.model.facts import Listener, Owner, OwnerStatus
from auditor.model.policy import Entry, OwnerCondition, Policy, Selector

ANYWHERE = "any"
NAMESPACES = {
    "host": "the host's own network namespace",
    "containers": "other network namespaces",
    "any": "every network namespace",
}
"""What the `netns` of an entry stands for."""
_UNSEEN: dict[OwnerStatus, str] = {
    "not-collected": "owners were not collected",
    "unprivileged": "it was read without root",
    "other-namespace": "it was read from another pid namespace than the host's first, where not every process is seen",
    "unknown": "no process that holds it was found",
    "known": "not all of its processes could be read",
    "kernel": "no process holds it",
}
"""Why the owners of a listener are not seen, or not enough of them."""
_KEYS = ("process", "exe", "user", "unit", "container")
_MOST = 20
"""Addresses spelled out in one sentence; a host may have thousands on one port."""


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`; nothing for no words."""
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def join_some(words: Sequence[str]) -> str:
    """Return `a, b and c`, or the first of very many and how many more there are."""
    return join_words(words if len(words) <= _MOST else [*words[:_MOST], f"{len(words) - _MOST} more"])


def count(number: int, noun: str) -> str:
    """Return `1 host`, `2 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


@lru_cache(maxsize=1024)
def _numeric(text: str) -> tuple[int, int, str]:
    try:
        address = ip_address(text)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text


def name_binds(entry: Entry) -> str:
    """Return where an entry lets a listener bind: `any`, or `loopback or 10.0.0.0/8`."""
    return join_words([str(bind) for bind in entry.bind], "or") if entry.bind else ANYWHERE


def say_home(home: Policy) -> str:
    """Return the file of a policy to write a line into, and on which hosts the line will hold."""
    wide = " (no policy that is for fewer applies here)" if home.applies_to is None else ""
    return f"{home.origin.file}, which holds for {name_hosts(home)}{wide}"


def name_hosts(policy: Policy) -> str:
    """Return for which hosts a policy holds: `every host`, `hosts of group web and with label env=prod`."""
    chosen = _name_selector(policy.applies_to, "and") if policy.applies_to is not None else "every host"
    left_out = _name_selector(policy.excluded, "or") if policy.excluded is not None else ""
    return f"{chosen}, except {left_out}" if left_out else chosen


def _name_selector(selector: Selector, last: str) -> str:
    parts = []
    if selector.hosts:
        parts.append(f"named {join_words(selector.hosts, 'or')}")
    if selector.groups:
        parts.append(f"of group {join_words(selector.groups, 'or')}")
    if selector.labels:
        labels = [f"{name}={value}" for name, value in selector.labels.items()]
        parts.append(f"with label {join_words(labels, 'and')}")
    return f"hosts {f' {last} '.join(parts)}" if parts else "every host"


def write_bind(twins: Sequence[Listener]) -> str:
    """Return the narrowest `bind:` value, in YAML, that accepts all of these listeners of one scope."""
    if twins[0].scope == "wildcard":
        return ANYWHERE
    addresses = list_addresses(twins)
    if twins[0].scope == "loopback" or len(addresses) > _MOST:
        return twins[0].scope
    return f"[{', '.join(quote_address(address) for address in addresses)}]"


def quote_address(address: str) -> str:
    """Return an address as a list in YAML takes it."""
    return f'"{address}"' if ":" in address else address


def list_controls(line: Line) -> tuple[str, ...]:
    """Return the controls of an entry and of its policy, each once."""
    return tuple(dict.fromkeys((*line.entry.controls, *line.policy.controls)))


def name_claim(entry: Entry) -> str:
    """Return what an entry is about: `443/tcp and 443/udp on loopback for process nginx in containers`."""
    where = f" on {name_binds(entry)}" if entry.bind else ""
    holder = f" for {name_condition(entry.owner)}" if entry.owner else ""
    netns = {"host": "", "containers": " in containers", "any": " in any namespace"}[entry.netns]
    return f"{join_some([str(ports) for ports in entry.ports])}{where}{holder}{netns}"


def name_condition(condition: OwnerCondition) -> str:
    """Return who may hold a socket: `process nginx or caddy, and user www-data`."""
    parts = [f"{key} {join_words(getattr(condition, key), 'or')}" for key in _KEYS if getattr(condition, key)]
    if condition.classes:
        parts.append(join_words(condition.classes, "or"))
    return ", and ".join(parts)


def say_unseen(entry: Entry, listener: Listener) -> dict[Part, str]:
    """Return why it is not known whether who holds a listener fits an entry, by what cannot be answered.

    The names of users come with the owners: where those were not collected, that is why.
    """
    asked = find_doubts(entry.owner, listener, forbids=entry.action == "deny") if entry.owner else ()
    processes = _UNSEEN[listener.owner_status]
    if listener.owner_status == "not-collected":
        return {"processes": processes} if asked else {}
    return {part: processes if part == "processes" else _say_user(listener) for part in asked}


def _say_user(listener: Listener) -> str:
    """Return why a user cannot be compared: by name, or by number where somebody wrote the listener down."""
    if listener.uid is not None:
        return f"user {listener.uid} has no name in what was read of the host's /etc/passwd"
    return f"the number of user {listener.user} is not given" if listener.user else "its user is not known"


def name_holders(listener: Listener, conditions: Sequence[OwnerCondition]) -> str:
    """Return who holds a socket, as far as `conditions` ask: `nc (/usr/bin/nc, user nobody)`.

    Process numbers are left out: they change, and the same finding on many hosts is told once.
    """
    asked = {key for condition in conditions for key in _KEYS if getattr(condition, key)}
    user = f"user {listener.user or listener.uid}" if "user" in asked else ""
    if listener.owner_status == "kernel":
        return ", ".join(filter(None, ("the kernel, no process", user)))
    if not listener.owners:
        return user or "nobody"
    names = dict.fromkeys(_name_holder(owner, asked, user) for owner in listener.owners)
    return join_some(list(names))


def _name_holder(owner: Owner, asked: Set[str], user: str) -> str:
    unit = f"unit {owner.unit}" if owner.unit else "no unit"
    container = f"container {owner.container}" if owner.container else "no container"
    more = (owner.exe, user, unit if "unit" in asked else "", container if "container" in asked else "")
    inside = ", ".join(filter(None, more))
    return f"{owner.comm or 'a process'} ({inside})" if inside else owner.comm or "a process"
