"""What was found about services in, text or JSON out, or what to try instead."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.errors import UsageError
from auditor.model.services import Service
from auditor.netstat.services import Question, name_hosts, say_difference, show_services
from auditor.policies.services import assigned_services, bundled_services, suggest_service
from auditor.reporters.inert import write_json

if TYPE_CHECKING:
    from auditor.cli.services_hosts import HostAnswers


def write_answer(
    question: str | None, found: Sequence[Service], hosts: "HostAnswers | None", *, as_json: bool
) -> bytes:
    """Return what goes to standard output. `hosts` None: none was asked."""
    assigned = frozenset(assigned_services().services)
    if as_json:
        rows = [
            {**one.model_dump(mode="json"), "assigned_by": "iana" if one in assigned else "custom"} for one in found
        ]
        return write_json({"kind": "netaudit.services", "question": question, "services": rows, **_list(hosts)}) + b"\n"
    lines = show_services(found, assigned) if found else ["The trusted table does not have it."]
    return "".join(f"{line}\n" for line in (*lines, *_say(hosts))).encode("utf-8", "backslashreplace")


def explain_unknown(text: str, question: Question) -> UsageError:
    """Return the error of a question that the trusted table has no answer to, with what comes near."""
    table = bundled_services()
    if question.port is not None:
        near = min(table.services, key=lambda one: (abs(one.port - (question.port or 0)), one.port))
        return UsageError(
            f"the trusted table has no service on {text}", f"the nearest is {near.port}/{near.proto}, {near.name}"
        )
    name = question.name or ""
    protos = sorted(one.proto for one in table.resolve(name))
    if protos:
        return UsageError(f"{name} is not listed for {question.proto}", f"it is for {' and '.join(protos)}")
    return UsageError(
        f"the trusted table has no service {name!r}", suggest_service(name) or "`netaudit services` lists all of it"
    )


def _say(hosts: "HostAnswers | None") -> list[str]:
    if hosts is None:
        return []
    noun = "host" if hosts.compared == 1 else "hosts"
    if not hosts.compared:
        lines = ["No /etc/services of a host was compared."]
    elif not hosts.differences:
        lines = [f"No difference in /etc/services of {hosts.compared} {noun}."]
    else:
        found = sorted(hosts.differences.items())
        lines = [f"In /etc/services of {hosts.compared} {noun}:"]
        lines += [f"  {say_difference(difference, names, hosts.compared)}" for difference, names in found]
    if hosts.without:
        has = "1 host has" if len(hosts.without) == 1 else f"{len(hosts.without)} hosts have"
        lines.append(f"{has} no /etc/services, or nothing in it: {name_hosts(hosts.without)}")
    return ["", *lines]


def _list(hosts: "HostAnswers | None") -> dict[str, object]:
    if hosts is None:
        return {}
    return {
        "hosts_read": hosts.read,
        "hosts_compared": hosts.compared,
        "hosts_without_table": hosts.without,
        "hosts_not_read": [each.host for each in hosts.troubles if each.failure is not None],
        "differences": [
            {**difference._asdict(), "hosts": names} for difference, names in sorted(hosts.differences.items())
        ],
    }
