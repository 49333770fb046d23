"""Delta in, GitHub Flavored Markdown out, short enough for a comment on a change."""

from collections.abc import Iterator, Sequence

from auditor.model.delta import Delta
from auditor.reporters.delta_wording import KINDS, count_changes, explain_finding, name_kind, say_listener
from auditor.reporters.markdown_text import write_code, write_prose

ROWS = 200
"""Rows of one table; the others are counted."""


def render(delta: Delta) -> bytes:
    """Return the changes as UTF-8 Markdown. Equal deltas give equal bytes."""
    return "".join(f"{line}\n" for line in _list_lines(delta)).encode()


def _list_lines(delta: Delta) -> Iterator[str]:
    word = "❌ worse" if delta.worse else "✅ no worse" if delta.comparable else "⚠️ not wholly comparable"
    yield f"# netaudit diff: {word}"
    yield ""
    yield f"From {write_code(delta.old.id)} to {write_code(delta.new.id)}: {count_changes(delta)}."
    findings = [
        (
            KINDS[change.kind],
            write_code(change.host),
            change.finding.severity,
            f"`{change.finding.rule}`",
            write_code(change.finding.subject),
            write_prose(explain_finding(change)),
        )
        for change in delta.findings
    ]
    yield from _table("Findings", ("change", "host", "severity", "rule", "what", "why"), findings)
    listeners = [
        (KINDS[name_kind(change)], write_code(change.host), write_code(say_listener(change)))
        for change in delta.listeners
    ]
    yield from _table("Listeners", ("change", "host", "what"), listeners)
    hosts = [(KINDS[change.kind], write_code(change.host), write_prose(change.reason) or "—") for change in delta.hosts]
    yield from _table("Hosts", ("change", "host", "why"), hosts)
    caveats = [
        (write_code(caveat.host) if caveat.host is not None else "all", write_prose(caveat.message))
        for caveat in delta.caveats
    ]
    yield from _table("Caveats", ("host", "what"), caveats)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title} ({len(rows)})", "")
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(row)} |" for row in rows[:ROWS])
    if len(rows) > ROWS:
        yield from ("", f"…and {len(rows) - ROWS} more: `-o json` has them all.")
