"""Delta in, lines for a terminal or a log out: what got worse first, never cut at a width."""

from collections.abc import Iterator

from auditor.model.delta import Delta
from auditor.reporters.delta_wording import KINDS, count_changes, explain_finding, name_kind, say_listener
from auditor.reporters.text_layout import Line, Span, Style, write_lines

_STYLES: dict[str, Style] = {
    "opened": "high",
    "widened": "high",
    "moved": "medium",
    "replaced": "high",
    "new": "high",
    "lost": "medium",
    "unobservable": "medium",
    "resolved": "good",
    "closed": "good",
    "narrowed": "good",
}
_BLANK: Line = ()


def render(delta: Delta) -> bytes:
    """Return the changes as UTF-8 text without colour."""
    return render_text(delta)


def render_text(delta: Delta, *, color: bool = False) -> bytes:
    """Return the changes as UTF-8 text, with SGR colours if asked for. Equal deltas give equal bytes."""
    blocks = (_say_head(delta), _say_findings(delta), _say_listeners(delta), _say_hosts(delta), _say_caveats(delta))
    lines: list[Line] = []
    for block in map(list, blocks):
        lines += [_BLANK, *block] if lines and block else block
    return write_lines(lines, color=color).encode(errors="backslashreplace")


def _say_head(delta: Delta) -> Iterator[Line]:
    word: Span = Span("WORSE", "critical") if delta.worse else Span("NO WORSE", "good")
    if not delta.worse and not delta.comparable:
        word = Span("NOT WHOLLY COMPARABLE", "medium")
    yield word, Span(f"  {delta.old.id} → {delta.new.id}")
    yield (Span(f"  {count_changes(delta)}"),)


def _say_findings(delta: Delta) -> Iterator[Line]:
    for change in delta.findings:
        finding = change.finding
        yield (
            _name("finding", change.kind),
            Span(f"  {change.host}  ", "strong"),
            Span(finding.severity, finding.severity),
            Span(f"  {finding.rule}  {finding.subject}"),
        )
        yield (Span(f"    {explain_finding(change)}", "faint"),)


def _say_listeners(delta: Delta) -> Iterator[Line]:
    for change in delta.listeners:
        kind = name_kind(change)
        yield _name("listener", kind), Span(f"  {change.host}  ", "strong"), Span(say_listener(change))


def _say_hosts(delta: Delta) -> Iterator[Line]:
    for change in delta.hosts:
        reason = f"  {change.reason}" if change.reason else ""
        yield _name("host", change.kind), Span(f"  {change.host}", "strong"), Span(reason)


def _say_caveats(delta: Delta) -> Iterator[Line]:
    for caveat in delta.caveats:
        where = f"{caveat.host}: " if caveat.host is not None else ""
        yield Span("caveat", "medium"), Span(f"  {where}{caveat.message}")


def _name(topic: str, kind: str) -> Span:
    return Span(f"{topic} {KINDS[kind]}", _STYLES.get(kind, "plain"))
