"""Explanations in, the lines a person reads out, or JSON."""

import json
import sys
from collections.abc import Iterator, Sequence

from auditor.cli.color import use_color
from auditor.cli.options import ColorChoice
from auditor.cli.stdout import write_stdout
from auditor.model.explanation import ConsideredPolicy, Explanation, Reason, TriedLine, TriedWaiver
from auditor.reporters.text_layout import Line, Span, Style, count, write_lines

_MARKS = {"yes": "+", "no": "-", "unknown": "?"}
_STYLES: dict[str, Style] = {
    "allowed": "good",
    "denied": "critical",
    "unexpected": "high",
    "unknown": "medium",
    "waived": "waived",
    "ignored": "faint",
}


def show_explanations(explanations: Sequence[Explanation], *, as_json: bool, color: ColorChoice) -> None:
    """Write the explanations to standard output."""
    if as_json:
        json.dump([one.model_dump(mode="json") for one in explanations], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    lines = [line for one in explanations for line in (*_tell(one), ())]
    write_stdout(write_lines(lines[:-1], color=use_color(color)).encode(errors="backslashreplace"))


def _tell(one: Explanation) -> Iterator[Line]:
    listener = one.listener
    yield Span(one.host, "strong"), Span("  "), Span(listener.raw.strip(), "strong")
    yield from ((Span(f"  {words}"),) for words in one.decoded)
    yield (Span("policies", "strong"),)
    for policy in one.policies:
        yield from _tell_policy(policy)
    yield (Span("lines", "strong"),)
    for line in one.lines:
        yield from _tell_line(line)
    if one.others:
        yield (Span(f"  {count(one.others, 'line')} more of these policies: on other ports", "faint"),)
    if one.waivers:
        yield (Span("waivers", "strong"),)
    for waiver in one.waivers:
        yield from _tell_waiver(waiver)
    yield Span("verdict", "strong"), Span(f"  {listener.verdict}", _STYLES[listener.verdict])
    yield (Span(f"  {one.conclusion}"),)
    for finding in one.findings:
        waived = f" (waived until {finding.waived.expires}: {finding.waived.waiver})" if finding.waived else ""
        yield Span(f"  {finding.severity}", finding.severity), Span(f"  {finding.rule}{waived}: {finding.message}")


def _tell_policy(policy: ConsideredPolicy) -> Iterator[Line]:
    verb = "applies" if policy.applies else "does not apply"
    yield Span(f"  {policy.policy} {verb}"), Span(f"  [{policy.origin}]", "faint")
    yield from _tell_reasons(policy.reasons)


def _tell_line(line: TriedLine) -> Iterator[Line]:
    yield (
        Span(f"  {line.action} {line.policy}/{line.entry}: {line.claim}: "),
        Span(line.result, "strong"),
        Span(f"  [{line.origin}]", "faint"),
    )
    yield from _tell_reasons(line.reasons)


def _tell_waiver(waiver: TriedWaiver) -> Iterator[Line]:
    verb = "covers it" if waiver.covers else "does not cover it"
    yield Span(f"  {waiver.waiver}: "), Span(verb, "strong"), Span(f"  [{waiver.origin}]", "faint")
    yield from _tell_reasons(waiver.reasons)


def _tell_reasons(reasons: Sequence[Reason]) -> Iterator[Line]:
    for reason in reasons:
        yield (Span(f"    {_MARKS[reason.answer]} {reason.words}", "plain" if reason.answer == "no" else "faint"),)
