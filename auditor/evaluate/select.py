"""A policy and a host in, whether the one applies to the other out."""

from fnmatch import fnmatchcase

from auditor.model.host import Host
from auditor.model.policy import Policy, Selector


def applies(policy: Policy, host: Host) -> bool:
    """Return whether `policy` holds for `host`: every key of `applies_to` does, and no key of `except`."""
    chosen = policy.applies_to is None or all(_verdicts(policy.applies_to, host))
    return chosen and not (policy.excluded is not None and any(_verdicts(policy.excluded, host)))


def _verdicts(selector: Selector, host: Host) -> list[bool]:
    """Return one answer per key that is given: within a key one value is enough, labels must all hold."""
    verdicts: list[bool] = []
    if selector.groups:
        verdicts.append(any(group in host.groups for group in selector.groups))
    if selector.hosts:
        verdicts.append(any(fnmatchcase(host.name, glob) for glob in selector.hosts))
    if selector.labels:
        verdicts.append(all(host.labels.get(name) == value for name, value in selector.labels.items()))
    return verdicts
