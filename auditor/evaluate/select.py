"""A policy and a host in, whether the one applies to the other out."""

from fnmatch import fnmatchcase
from typing import Literal

from auditor.model.host import Host
from auditor.model.policy import Policy, Selector

Key = Literal["groups", "hosts", "labels"]


def applies(policy: Policy, host: Host) -> bool:
    """Return whether `policy` holds for `host`: every key of `applies_to` does, and no key of `except`."""
    chosen = policy.applies_to is None or all(ask_selector(policy.applies_to, host).values())
    return chosen and not (policy.excluded is not None and any(ask_selector(policy.excluded, host).values()))


def ask_selector(selector: Selector, host: Host) -> dict[Key, bool]:
    """Return one answer per key that is given: within a key one value is enough, labels must all hold."""
    answers: dict[Key, bool] = {}
    if selector.groups:
        answers["groups"] = any(group in host.groups for group in selector.groups)
    if selector.hosts:
        answers["hosts"] = any(host.name == glob or fnmatchcase(host.name, glob) for glob in selector.hosts)
    if selector.labels:
        answers["labels"] = all(host.labels.get(name) == value for name, value in selector.labels.items())
    return answers
