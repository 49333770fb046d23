"""Metrics: read by Prometheus' own client, without time stamps, ports or invented zeros."""

import math
from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auditor.model.report import AuditReport
from auditor.reporters.prometheus import render
from tests.reporters.fleet import (
    FINISHED,
    a_calm_host,
    a_lost_host,
    a_report,
    a_system,
    fleets,
    hostile_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series_of(report: AuditReport) -> Series:
    text = render(report).decode()
    assert text.endswith("\n")
    found: Series = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            assert sample.timestamp is None
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((f"netaudit_{name}", frozenset(labels.items())))


def names(series: Iterable[tuple[str, frozenset[tuple[str, str]]]]) -> set[str]:
    return {label for _, labels in series for label, _ in labels}


def test_the_mixed_fleet() -> None:
    series = series_of(mixed_fleet())
    assert value(series, "run_timestamp_seconds") == FINISHED.timestamp()
    assert value(series, "coverage_ratio") == 5 / 8
    assert value(series, "exit_code") == 1
    assert value(series, "verdict", verdict="fail") == 1
    assert value(series, "verdict", verdict="pass") == 0
    assert value(series, "hosts", status="unreachable") == 2
    assert value(series, "host_up", host="edge-01") == 0
    assert value(series, "host_up", host="db-03") == 1
    assert value(series, "host_fully_audited", host="db-03") == 0
    assert value(series, "findings", host="web-03", severity="critical") == 1
    assert value(series, "findings", host="web-01", severity="critical") == 0
    assert value(series, "fleet_findings", severity="high") == 1
    assert value(series, "findings_waived") == 1
    assert names(series) == {"verdict", "status", "severity", "days", "host", "trust"}


@pytest.mark.parametrize("host", ["edge-01", "db-03"])
def test_what_is_not_known_is_not_zero(host: str) -> None:
    series = series_of(mixed_fleet())
    assert all(value(series, "findings", host=host, severity=level) is None for level in ("critical", "high", "low"))


def test_a_fleet_without_hosts_has_no_coverage() -> None:
    assert math.isnan(value(series_of(a_report()), "coverage_ratio") or 0.0)
    assert value(series_of(a_report(a_lost_host("a"))), "coverage_ratio") == 0.0


def test_hosts_whose_key_nobody_looked_at_can_be_alerted_on() -> None:
    trusts = ("known", "known", "ignored", None)
    hosts = [a_calm_host(f"web-{at}", facts=a_system(host_key_trust=trust)) for at, trust in enumerate(trusts)]
    series = series_of(a_report(*hosts, a_lost_host("edge")))
    found = {word: value(series, "host_keys", trust=word) for word in ("known", "certificate", "accepted", "ignored")}
    assert found == {"known": 2, "certificate": 0, "accepted": 0, "ignored": 1}


def test_waivers_are_counted_by_how_soon_they_end() -> None:
    """The run ended on 2026-03-04 and w-17 ends on 2026-12-31."""
    report = mixed_fleet()
    assert value(series_of(report), "waivers_expiring", days="90") == 0
    late = report.run.model_copy(update={"finished_at": FINISHED.replace(month=12, day=8)})
    series = series_of(report.model_copy(update={"run": late}))
    assert [value(series, "waivers_expiring", days=days) for days in ("7", "30", "90")] == [0, 1, 1]


@pytest.mark.parametrize("name", fleets())
def test_every_sample_is_read(name: str) -> None:
    assert len(series_of(fleets()[name])) > 12


@pytest.mark.parametrize("report", [a_report(), a_report(a_lost_host("a"))])
def test_where_no_host_was_read_nothing_is_counted(report: AuditReport) -> None:
    series = series_of(report)
    assert value(series, "fleet_findings", severity="critical") is None
    assert value(series, "listeners") is None
    assert value(series, "findings_waived") is None
    assert value(series, "waivers_expiring", days="30") is None
    assert value(series_of(a_report(a_calm_host("a"))), "fleet_findings", severity="critical") == 0


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_is_read_and_adds_no_series(text: str) -> None:
    assert len(series_of(hostile_fleet(text))) == len(series_of(hostile_fleet("plain")))


def test_hosts_that_are_missing_are_not_covered() -> None:
    cut = fleets()["stopped"]
    assert math.isnan(value(series_of(cut), "coverage_ratio") or 0.0)
    of_four = cut.model_copy(update={"run": cut.run.model_copy(update={"chosen": 4})})
    assert value(series_of(of_four), "coverage_ratio") == 0.25
