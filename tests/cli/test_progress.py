"""Progress: a bar for a terminal, few lines for a log, and nothing of a host's own text that could act."""

import io

import pytest

from auditor.cli.progress import Progress, choose_style


def test_a_bar_shows_counts_and_clears_itself() -> None:
    stream = io.StringIO()
    progress = Progress(4, "bar", stream)
    progress.count("web-01", "compliant")
    progress.count("web-02", "unreachable")
    progress.close()
    shown = stream.getvalue().split("\r\x1b[K")
    assert shown[2].startswith("[############............] 2/4 hosts (1 compliant, 1 unreachable), ")
    assert shown[-1] == ""


def test_a_quick_run_leaves_no_lines_in_a_log() -> None:
    stream = io.StringIO()
    progress = Progress(50, "plain", stream)
    for number in range(50):
        progress.count(f"web-{number}", "compliant")
    progress.close()
    assert stream.getvalue() == ""


def test_a_slow_run_speaks_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("auditor.cli.progress.monotonic", lambda: now)
    stream = io.StringIO()
    progress = Progress(20, "plain", stream)
    for number in range(20):
        now += 4.0
        progress.count(f"web-{number}", "compliant")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "2/20 hosts (2 compliant), 1m12s left"
    assert lines[-1] == "20/20 hosts (20 compliant), 0s left"
    assert len(lines) == 10


def test_verbose_lines_are_inert() -> None:
    stream = io.StringIO()
    Progress(1, "plain", stream, verbose=True).count("web-01", "unreachable", "banner: \x1b[2J\u202eexe")
    assert stream.getvalue() == "web-01: unreachable (banner: \\x1b[2J\\u202eexe)\n"


@pytest.mark.parametrize(
    ("quiet", "verbose", "expected"), [(True, True, "none"), (False, True, "plain"), (False, False, "plain")]
)
def test_no_bar_without_a_terminal(quiet: bool, verbose: bool, expected: str) -> None:
    assert choose_style(quiet, verbose) == expected
