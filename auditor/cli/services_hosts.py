"""A question about services and hosts in, where the hosts' own tables answer otherwise out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from auditor.audit import collect_host
from auditor.cli.boundary import say_exit
from auditor.cli.clock import read_clock
from auditor.cli.evidence_place import seek_evidence
from auditor.cli.fleet import Interruption, gather_hosts, open_transports, work_through_saved
from auditor.cli.netstat_answer import Request, Shown
from auditor.cli.netstat_hosts import choose_inventory
from auditor.cli.netstat_output import say_troubles
from auditor.collect import unframe
from auditor.errors import NoHostsError, UsageError
from auditor.model.host import Host
from auditor.model.services import ServiceTable
from auditor.model.transcript import Evidence, Failure
from auditor.netstat.services import Difference, Question, compare_tables
from auditor.parse.services import MAX_LINES, parse_services
from auditor.policies.services import bundled_services
from auditor.reporters.text_layout import count
from auditor.transport.evidence import read_evidence

_CACHED = 1 << 20  # bytes; most hosts of a fleet have the very same file


class Asking(NamedTuple):
    """Which hosts to ask, and how."""

    target: str
    limit: Sequence[str] | None
    jobs: int
    timeout: float | None


@dataclass
class HostAnswers:
    """What the hosts say: each difference, with the names of the hosts it is on; `read` of them were read.

    Of those, `compared` had a table that was read whole, and those `without` one have none, or nothing in it. `code` is
    the exit code of an interruption; `troubles` are hosts that were not read, or not wholly.
    """

    read: int = 0
    compared: int = 0
    without: list[str] = field(default_factory=list)
    differences: dict[Difference, list[str]] = field(default_factory=dict)
    troubles: list[Shown] = field(default_factory=list)
    code: int | None = None


class _Said(NamedTuple):
    """`differences` None: its table could not be compared; `without`: because there is none, or nothing in it."""

    host: str
    differences: Sequence[Difference] | None
    trouble: Shown | None
    without: bool = False


def ask_hosts(question: Question, asking: Asking) -> HostAnswers:
    """Return how the hosts' tables differ. Raises what choosing hosts or reading evidence raises."""
    answers = HostAnswers()
    said: list[_Said] = []
    evidence = seek_evidence(asking.target)
    if evidence is not None:
        interruption = _read_saved(question, asking, evidence, said)
    else:
        interruption = _ask_live(question, asking, said)
    for each in sorted(said, key=lambda one: one.host):
        answers.read += each.trouble is None or each.trouble.failure is None
        answers.troubles += [each.trouble] if each.trouble is not None else []
        answers.compared += each.differences is not None
        answers.without += [each.host] if each.without else []
        for difference in each.differences or ():
            answers.differences.setdefault(difference, []).append(each.host)
    answers.code = interruption.code
    return answers


def close(hosts: HostAnswers) -> int:
    """Say what was not read, and return the exit code."""
    say_troubles(hosts.troubles, alone=False)
    if hosts.code is not None:
        return say_exit(hosts.code, [f"interrupted: {count(hosts.read, 'host')} read"])
    if hosts.troubles:
        total = hosts.read + sum(each.failure is not None for each in hosts.troubles)
        return say_exit(3, [f"{len(hosts.troubles)} of {count(total, 'host')} not read completely"])
    return 0


def _ask_live(question: Question, asking: Asking, said: list[_Said]) -> Interruption:
    request = Request(target=asking.target, limit=asking.limit, timeout=asking.timeout)
    inventory = choose_inventory(asking.target, request)
    with open_transports(inventory, read_clock) as transports:

        def collect(host: Host) -> Evidence:
            return collect_host(host, transports, read_clock, owners=False)

        return gather_hosts(
            collect, lambda evidence: _answer(question, evidence), inventory.hosts, asking.jobs, said.append
        )


def _read_saved(question: Question, asking: Asking, path: Path, said: list[_Said]) -> Interruption:
    if asking.limit is not None:
        raise UsageError(f"{asking.target} is saved evidence", "leave --limit out")
    with read_evidence(path) as saved:
        interruption = work_through_saved(lambda evidence: _answer(question, evidence), saved, said.append)
    if not said:
        raise NoHostsError(f"{asking.target} holds no hosts", "name other evidence")
    return interruption


def _answer(question: Question, evidence: Evidence) -> _Said:
    name = evidence.host.name
    if isinstance(evidence.outcome, Failure):
        return _Said(name, None, Shown(name, failure=evidence.outcome))
    snapshot = unframe(evidence.outcome)
    section = snapshot.sections.get("services")
    table, labels = parse_services(section)
    gap = table.gap()
    gaps = (*snapshot.gaps, *((gap,) if gap is not None else ()))
    trouble = Shown(name, gaps=gaps) if gaps else None
    if gap is not None or not labels:
        return _Said(name, None, trouble, without=gap is None)
    compare = _compare_cached if len(table.data) <= _CACHED else _compare
    return _Said(name, compare(table.data, question), trouble)


def _compare(data: bytes, question: Question) -> tuple[Difference, ...]:
    own = ServiceTable.parse(data.decode("utf-8", "backslashreplace"), MAX_LINES)
    return tuple(compare_tables(bundled_services(), own, question))


@lru_cache(maxsize=16)
def _compare_cached(data: bytes, question: Question) -> tuple[Difference, ...]:
    return _compare(data, question)
