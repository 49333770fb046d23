"""The clock can be stopped."""

from datetime import UTC, datetime

import pytest

from auditor.cli.clock import read_clock
from auditor.errors import UsageError


def test_source_date_epoch_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767323045")
    assert read_clock() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_without_it_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.now(UTC)
    assert before <= read_clock() <= datetime.now(UTC)


def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        read_clock()
