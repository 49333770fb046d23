"""A policy and the hosts of an inventory in; the groups, labels and hosts it names that are not there, out."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from auditor.document import Loc, suggest
from auditor.errors import Problem
from auditor.lint.place import Places
from auditor.model.host import Host
from auditor.model.policy import Policy, Selector


def check_names(policy: Policy, hosts: Sequence[Host], places: Places) -> Iterator[Problem]:
    """Yield a warning for each group, label and host glob of `applies_to` and `except` that fits no host."""
    groups = {group for host in hosts for group in host.groups}
    labels = {label for host in hosts for label in host.labels.items()}
    for loc, selector in ((("applies_to",), policy.applies_to), (("applies_to", "except"), policy.excluded)):
        if selector is not None:
            for way, message, hint in _check_selector(selector, hosts, groups, labels):
                yield places.at(policy.origin.file, (*loc, *way), f"{policy.name}: {message}", hint)


def _check_selector(
    selector: Selector, hosts: Sequence[Host], groups: set[str], labels: set[tuple[str, str]]
) -> Iterator[tuple[Loc, str, str]]:
    known = f"groups of the inventory: {', '.join(sorted(groups)[:10])}" if groups else ""
    for index, group in enumerate(selector.groups):
        if group not in groups:
            message = f"no host of the inventory is in the group {group!r} [unknown-group]"
            yield ("groups", index), message, suggest(group, groups) or known
    for index, glob in enumerate(selector.hosts):
        if not any(fnmatchcase(host.name, glob) for host in hosts):
            message = f"no host of the inventory has a name like {glob!r} [unknown-host]"
            yield ("hosts", index), message, suggest(glob, [host.name for host in hosts])
    for name, value in selector.labels.items():
        if (name, value) not in labels:
            values = sorted(other for key, other in labels if key == name)
            hint = (
                f"{name} is one of: {', '.join(values[:10])}" if values else suggest(name, {key for key, _ in labels})
            )
            yield ("labels", name), f"no host of the inventory has the label {name}={value} [unknown-label]", hint
