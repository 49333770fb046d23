"""`netaudit explain`: why a listener of a saved report is judged as it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import ColorOption, PolicyOption

if TYPE_CHECKING:
    from auditor.model.policy import PolicySet, Ports
    from auditor.model.report import AuditReport, HostReport

JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def explain(
    source: Annotated[Path, typer.Argument(metavar="REPORT", help="A report saved as JSON.")],
    host: Annotated[str, typer.Argument(metavar="HOST", help="The name of the host in it.")],
    port: Annotated[str, typer.Argument(metavar="PORT/PROTO", help="For example 443/tcp.")],
    policy: PolicyOption = [],
    as_json: JsonOption = False,
    color: ColorOption = "auto",
) -> int:
    """Explain a verdict: the kernel's line, what it means, the policies that apply, every line tried, waivers."""
    from auditor.cli.explanation import show_explanations
    from auditor.cli.report import read_saved
    from auditor.evaluate.explain import explain_listener
    from auditor.model.facts import Listener
    from auditor.model.host import Host
    from auditor.model.origin import Origin
    from auditor.reporters.json import load_report

    report = load_report(read_saved(source), str(source))
    seen = _find_host(report, host)
    ports = _read_port(port)
    found = [one for one in seen.listeners if one.proto == ports.proto and one.port == ports.first]
    if not found:
        _say_nothing(seen, ports, as_json)
        return 0
    origin = Origin(file=report.run.inventory.path, line=1)
    known = Host(name=seen.name, address=seen.address, groups=seen.groups, labels=seen.labels, origin=origin)
    policies = _find_policies(report, policy)
    explanations = []
    for judged in found:
        listener = Listener.model_validate(judged.model_dump(exclude={"verdict", "decided_by"}))
        one = explain_listener(known, listener, policies, report.run.started_at, seen.facts)
        if one.listener.verdict != judged.verdict:
            words = f"{one.conclusion}; the report, made with other policies, says {judged.verdict}"
            one = one.model_copy(update={"conclusion": words})
        explanations.append(one)
    show_explanations(explanations, as_json=as_json, color=color)
    return 0


def _find_host(report: "AuditReport", name: str) -> "HostReport":
    from difflib import get_close_matches

    from auditor.errors import UsageError

    for host in report.hosts:
        if host.name == name:
            return host
    near = get_close_matches(name, [host.name for host in report.hosts], n=1)
    raise UsageError(f"{name} is not in the report", f"did you mean {near[0]}?" if near else "name a host of the run")


def _read_port(text: str) -> "Ports":
    from pydantic_core import PydanticCustomError

    from auditor.errors import UsageError
    from auditor.policies.ports import parse_ports

    try:
        ports = parse_ports(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(context["message"], context["hint"]) from None
    if ports.first != ports.last:
        raise UsageError(f"{text} is more than one port", "name one, for example 443/tcp")
    return ports


def _find_policies(report: "AuditReport", named: Sequence[Path]) -> "PolicySet":
    """Return the policies named, or those of the run; says on standard error when these are not what they were."""
    import sys

    from auditor.display import escape
    from auditor.errors import UsageError
    from auditor.policies import load_policies

    files = [file for file in report.run.policies if not file.included]
    if not named and (lost := [file.path for file in files if not Path(file.path).is_file()]):
        raise UsageError(f"a policy of the run is not here: {lost[0]}", "name the policies with -p")
    policies = load_policies(named or [Path(file.path) for file in files])
    now = {policy.name: policy.sha256 for policy in policies.policies}
    for file in files:
        if now.get(file.name) != file.sha256:
            print(f"{escape(file.name)} is not what it was in the run: this is what it says now", file=sys.stderr)
    return policies


def _say_nothing(host: "HostReport", ports: "Ports", as_json: bool) -> None:
    """Say that nothing was seen on a port, and whether everything could be."""
    from auditor.cli.stdout import write_stdout
    from auditor.reporters.text_layout import Line, Span, write_lines

    lines: list[Line] = []
    if host.error is not None:
        lines.append((Span(f"{host.name} was not read: {host.error.message}"),))
    else:
        lines.append((Span(f"nothing was seen on {ports} of {host.name}"),))
    lines += [(Span(f"  not known: {gap.source}: {gap.reason}"),) for gap in host.gaps]
    for finding in host.findings:
        if finding.rule == "missing-listener" and str(ports) in finding.subject.split():
            lines.append((Span(f"  {finding.severity}  {finding.rule}: {finding.message}"),))
    write_stdout(b"[]\n" if as_json else write_lines(lines, color=False).encode(errors="backslashreplace"))
