"""Errors become messages, the closing line and an exit code; never a traceback."""

import pytest
import typer

from auditor.cli.boundary import guard
from auditor.errors import AuditorError, DocumentError, NoHostsError, OutputError, Problem, UsageError


def outcome_of(raised: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def command() -> int:
        raise raised

    with pytest.raises(typer.Exit) as caught:
        guard(command)()
    return caught.value.exit_code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "last"),
    [
        (UsageError("no such flag"), 2, "exit 2: no such flag; no host was contacted"),
        (
            DocumentError([Problem("a.yaml", 1, 1, "one"), Problem("a.yaml", 2, 1, "two")]),
            2,
            "exit 2: 2 problem(s) to fix; no host was contacted",
        ),
        (NoHostsError("nothing matches 'wbe'"), 4, "exit 4: nothing matches 'wbe'; no host was contacted"),
        (OutputError("cannot write x: disk full"), 5, "exit 5: cannot write x: disk full"),
        (KeyboardInterrupt(), 130, "exit 130: interrupted"),
    ],
)
def test_the_closing_line_says_why(
    error: BaseException, code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, stderr = outcome_of(error, capsys)
    assert found == code
    assert stderr.splitlines()[-1] == last


def test_a_defect_is_owned_up_to_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NETAUDIT_TRACEBACK", raising=False)
    code, stderr = outcome_of(ZeroDivisionError("by \x1b[31mzero"), capsys)
    assert code == 5
    assert "Traceback" not in stderr
    assert "ZeroDivisionError at test_boundary.py" in stderr
    assert "by \\x1b[31mzero" in stderr


def test_messages_with_escapes_are_inert(capsys: pytest.CaptureFixture[str]) -> None:
    _, stderr = outcome_of(UsageError("bad \x1b[2J\u202e"), capsys)
    assert "\x1b" not in stderr
    assert "\u202e" not in stderr


def test_every_error_has_its_exit_code() -> None:
    codes = {kind.__name__: kind.exit_code for kind in AuditorError.__subclasses__()}
    assert codes == {
        "UsageError": 2,
        "DocumentError": 2,
        "EvidenceError": 2,
        "NoHostsError": 4,
        "OutputError": 5,
        "TransportError": 5,
    }
