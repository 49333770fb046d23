"""A baseline in, the policy file a person would have written out: one line an entry, with what stands behind it."""

import json
import re
from collections.abc import Iterable, Sequence

from auditor.baseline.baseline import Baseline
from auditor.baseline.lines import name_bind
from auditor.display import escape
from auditor.model.policy import Entry, Selector

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._@/+-]*|[0-9][0-9A-Za-z.-]*/[0-9a-z]+", re.ASCII)
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}(/[0-9]+)?", re.ASCII)
# Words that a YAML reader takes for something else than text (YAML 1.1 and 1.2).
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_MOST_HOSTS = 10


def render_baseline(one: Baseline) -> str:
    """Return the policy as YAML, with its support and what was left out in comments. Ends with a newline."""
    policy = one.policy
    days = str(one.first) if one.first == one.last else f"{one.first} to {one.last}"
    rows = [
        f"# {policy.description[:-1]}: {_count(one.hosts)}, {days}.",
        "# Written by `netaudit baseline`. What is there is not yet what should be there: review it, and say why.",
        *_list_unread(one),
        "version: 1",
        f"policy: {_quote(policy.name)}",
        f"description: {_quote(policy.description, plain=False)}",
        *_write_selector(policy.applies_to),
        f"raw_sockets: {policy.raw_sockets}",
        "",
        "allow:" if policy.allow else "allow: []",
        *(_write_entry(entry, f"{one.support[entry.id]} of {_count(one.hosts)}") for entry in policy.allow),
        *_list_outliers(one),
    ]
    return "\n".join(rows) + "\n"


def _list_unread(one: Baseline) -> Iterable[str]:
    if one.unread:
        yield f"# Not counted, because they were not read completely: {_count(len(one.unread))}."
        for name, reason in sorted(one.unread.items())[:_MOST_HOSTS]:
            yield f"#   {escape(name)}: {escape(reason, 80)}"
        if len(one.unread) > _MOST_HOSTS:
            yield f"#   and {len(one.unread) - _MOST_HOSTS} more"


def _write_selector(selector: Selector | None) -> Iterable[str]:
    if selector is not None and selector.groups:
        yield "applies_to:"
        yield f"  groups: {_write_list(selector.groups)}"
    elif selector is not None:
        yield "applies_to:"
        yield "  hosts:"
        yield from (f"    - {_quote(host)}" for host in selector.hosts)


def _write_entry(entry: Entry, support: str) -> str:
    parts = [f"id: {_quote(entry.id)}", _write_ports(entry)]
    if entry.bind:
        parts.append(f"bind: {_write_one_or_list([_quote(name_bind(bind)) for bind in entry.bind])}")
    if entry.owner is not None and entry.owner.process:
        parts.append(f"process: {_write_one_or_list([_quote(name) for name in entry.owner.process])}")
    elif entry.owner is not None:
        parts.append(f"owner: {_write_one_or_list(entry.owner.classes)}")
    if entry.netns != "host":
        parts.append(f"netns: {entry.netns}")
    return f"  - {{{', '.join(parts)}}}  # {support}"


def _write_ports(entry: Entry) -> str:
    if entry.service is not None:
        return f"service: {_quote(entry.service)}"
    if len(entry.ports) == 1:
        return f"port: {entry.ports[0]}"
    return f"ports: [{', '.join(map(str, entry.ports))}]"


def _list_outliers(one: Baseline) -> Iterable[str]:
    if one.outliers:
        yield ""
        yield f"# Seen on few of the {_count(one.hosts)}, and left out:"
        for outlier in one.outliers:
            more = len(outlier.hosts) - _MOST_HOSTS
            names = ", ".join(escape(host) for host in outlier.hosts[:_MOST_HOSTS])
            yield f"#   {escape(outlier.what)}: {names}{f' and {more} more' if more > 0 else ''}"


def _write_one_or_list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _write_list(words: Iterable[str]) -> str:
    return f"[{', '.join(_quote(word) for word in words)}]"


def _quote(text: str, *, plain: bool = True) -> str:
    """Return `text` as YAML reads it back, in quotes when it could be taken for anything but itself."""
    bare = plain and text.lower() not in _WORDS and (_PLAIN.fullmatch(text) or _ADDRESS.fullmatch(text))
    return text if bare else json.dumps(text, ensure_ascii=True)


def _count(number: int) -> str:
    return f"{number} host" if number == 1 else f"{number} hosts"
