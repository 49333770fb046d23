"""Short ways to write the model's values in a test; every argument not given is the dullest value there is."""

from datetime import UTC, datetime
from typing import Any

from auditor.model.facts import HostFacts, Listener, System
from auditor.model.host import Host
from auditor.model.origin import Origin

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


def some_facts(*listeners: Listener, **fields: Any) -> HostFacts:
    defaults: dict[str, Any] = {
        "system": System(collected_at=NOW, byte_order="little"),
        "coverage": (),
        "gaps": (),
    }
    return HostFacts(listeners=listeners, **{**defaults, **fields})
