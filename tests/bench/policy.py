"""How long a host takes to judge, and how little that depends on how long the policy is.

    python -m tests.bench.policy [HOSTS [LISTENERS]]

Judges HOSTS hosts (10,000) of LISTENERS listeners each (30) with policies of 20, 200 and 2,000 entries that all name
different ports, so that what a longer policy costs is what finding the right entry costs. Nothing here is a test.
"""

import sys
import time
from collections.abc import Iterator

from auditor.evaluate import compile_policies, evaluate
from auditor.model.facts import HostFacts
from auditor.model.policy import Entry, Policy, Ports
from tests.builders import NOW, a_held_listener, a_host, a_listener, a_policy, a_policy_set, an_entry, some_facts

SIZES = (20, 200, 2_000)
OWNED = 10
"""One entry in so many asks who holds the socket, one is required, one names a service, one denies."""


def build_policy(size: int) -> Policy:
    """Return a policy of so many entries, each for four ports of its own."""
    names = (f"entry-{number}" for number in range(size))
    return a_policy(*(_build_entry(name, number) for number, name in enumerate(names)))


def _build_entry(name: str, number: int) -> Entry:
    kind = number % OWNED
    first = 1_024 + 16 * number
    entry = an_entry(
        name,
        "1/tcp",
        action="deny" if kind == 4 else "allow",
        bind="loopback,10.0.0.0/8" if kind == 1 else "any",
        owner={"process": ("nginx", "worker*")} if kind == 2 else None,
        service=f"service-{number}" if kind == 3 else None,
    )
    ports = (Ports(proto="tcp", first=first, last=first + 1), Ports(proto="udp", first=first, last=first + 1))
    return entry.model_copy(update={"ports": ports})


def build_facts(listeners: int, seed: int) -> HostFacts:
    """Return a host whose listeners are on ports of the first 20 entries, a tenth of them on none."""
    services = {f"{port}/tcp": f"name-{port}" for port in range(1, 400)}
    rows = []
    for number in range(listeners):
        entry = (seed + number) % 20
        port = 1_024 + 16 * entry + (9 if number % 10 == 9 else number % 2)
        address = ("0.0.0.0", "::", "127.0.0.1")[number % 3]
        if entry % OWNED == 2:
            rows.append(a_held_listener("nginx", port=port))
        else:
            rows.append(a_listener(address, port))
    unique = {(row.proto, row.address, row.port): row for row in rows}
    return some_facts(*unique.values(), services=services)


def measure(hosts: int, listeners: int) -> Iterator[tuple[int, float, float]]:
    """Yield, for each size: entries, seconds to compile, seconds to judge a host."""
    fleet = [build_facts(listeners, seed) for seed in range(20)]
    for size in SIZES:
        started = time.perf_counter()
        compiled = compile_policies(a_policy_set(build_policy(size)))
        compiled.rulebook_for(a_host())
        ready = time.perf_counter()
        for number in range(hosts):
            evaluate(a_host(f"host-{number}"), fleet[number % len(fleet)], compiled, NOW)
        yield size, ready - started, (time.perf_counter() - ready) / hosts


def main() -> None:
    hosts, listeners = (int(word) for word in (*sys.argv[1:], *("10000", "30")[len(sys.argv) - 1 :]))
    print(f"{hosts} hosts of {listeners} listeners")
    print("entries  compile [ms]  per host [ms]  per listener [us]")
    for size, compiled, each in measure(hosts, listeners):
        print(f"{size:7}  {compiled * 1e3:12.1f}  {each * 1e3:13.3f}  {each / listeners * 1e6:17.1f}")


if __name__ == "__main__":
    main()
