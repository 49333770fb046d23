"""Short ways to write the model's values in a test; every argument not given is the dullest value there is."""

from datetime import UTC, date, datetime
from typing import Any

from auditor.errors import DocumentError
from auditor.model.facts import HostFacts, Listener, Owner, System
from auditor.model.host import Host
from auditor.model.origin import Origin
from auditor.model.policy import BindNetwork, BindScope, Bound, Entry, Policy, PolicySet, Ports, Waiver

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_host(name: str = "web-01", **fields: Any) -> Host:
    defaults: dict[str, Any] = {"address": name, "origin": Origin(file="inventory.yaml", line=1)}
    return Host(name=name, **{**defaults, **fields})


def a_listener(address: str = "0.0.0.0", port: int = 22, **fields: Any) -> Listener:
    from ipaddress import ip_address

    from auditor.model.address import classify_scope, family_of

    parsed = ip_address(address)
    defaults: dict[str, Any] = {
        "proto": "tcp",
        "family": family_of(parsed),
        "scope": classify_scope(parsed),
        "dual_stack": "yes" if address == "::" else None,
        "raw": "raw row",
    }
    return Listener(address=address, port=port, **{**defaults, **fields})


def a_held_listener(*comms: str, port: int = 443, **fields: Any) -> Listener:
    """Return a listener whose owners are visible: processes of these names, or as `owners` has them."""
    owners = tuple(Owner(pid=100 + number, comm=comm, exe=f"/usr/sbin/{comm}") for number, comm in enumerate(comms))
    return a_listener("0.0.0.0", port, **{"owner_status": "known", "owners": owners, **fields})


def some_facts(*listeners: Listener, **fields: Any) -> HostFacts:
    defaults: dict[str, Any] = {
        "system": System(collected_at=NOW, byte_order="little"),
        "coverage": (),
        "gaps": (),
    }
    return HostFacts(listeners=listeners, **{**defaults, **fields})


def some_ports(text: str) -> Ports:
    """Return `443/tcp`, `8000-8100/tcp4` as a policy has them."""
    span, _, proto = text.partition("/")
    first, _, last = span.partition("-")
    family = {"4": "ipv4", "6": "ipv6"}.get(proto[-1])
    return Ports.model_validate(
        {"proto": proto.rstrip("46"), "first": int(first), "last": int(last or first), "family": family}
    )


def some_binds(text: str) -> tuple[BindScope | BindNetwork, ...]:
    """Return `any`, `loopback`, `private,10.0.0.0/8` as a policy has them."""
    words = [] if text == "any" else text.split(",")
    return tuple(
        BindNetwork(network=word) if "/" in word else BindScope.model_validate({"scope": word}) for word in words
    )


def an_entry(name: str, *ports: str, action: str = "allow", bind: str = "any", **fields: Any) -> Entry:
    defaults: dict[str, Any] = {"policy": "base", "origin": Origin(file="base.yaml", line=7)}
    values = {
        "id": name,
        "action": action,
        "ports": tuple(some_ports(port) for port in ports),
        "bind": some_binds(bind),
    }
    return Entry.model_validate({**defaults, **values, **fields})


def a_waiver(name: str, *ports: str, rule: str = "unexpected-listener", bind: str = "any", **fields: Any) -> Waiver:
    """Return a waiver for one rule on every host, good for a year after NOW; without `ports` for every port."""
    values = {
        "id": name,
        "policy": "base",
        "rules": (rule,),
        "hosts": ("*",),
        "ports": tuple(some_ports(port) for port in ports),
        "bind": some_binds(bind),
        "reason": "migration",
        "owner": "ops@example.com",
        "ticket": "OPS-17",
        "expires": date(2026, 12, 31),
        "origin": Origin(file="base.yaml", line=20),
    }
    return Waiver.model_validate({**values, **fields})


def a_bound(state: str | None, most: int, **fields: Any) -> Bound:
    """Return a bound on a state, or without one on accept queues."""
    values = {"policy": "base", "state": state, "most": most, "origin": Origin(file="base.yaml", line=12)}
    return Bound.model_validate({**values, **fields})


def a_policy(*entries: Entry, name: str = "base", **fields: Any) -> Policy:
    """Return a policy of these entries, each made to stand in it."""
    inside = [entry.model_copy(update={"policy": name}) for entry in entries]
    defaults: dict[str, Any] = {
        "path": f"{name}.yaml",
        "sha256": "0" * 64,
        "origin": Origin(file=f"{name}.yaml", line=2),
        "allow": tuple(entry for entry in inside if entry.action == "allow"),
        "deny": tuple(entry for entry in inside if entry.action == "deny"),
    }
    return Policy(name=name, **{**defaults, **fields})


def a_policy_set(*policies: Policy) -> PolicySet:
    return PolicySet(policies=policies)


def told(error: DocumentError) -> list[str]:
    """Return each problem as `line:column message | hint`, in the order in which the user reads them."""
    return [f"{one.line}:{one.column} {one.message} | {one.hint}" for one in error.problems]
