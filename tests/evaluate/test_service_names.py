"""Names never decide: a host whose /etc/services calls 4444 https, from its own files to what the reader is shown."""

from pathlib import Path

from auditor.evaluate import evaluate
from auditor.model.report import Generator, HostReport, InventoryRef, Run, build_report, judge_host
from auditor.model.services import ServiceTable
from auditor.policies import load_policies
from auditor.reporters.text import render_text
from tests.builders import NOW, a_host, a_listener, some_facts

POLICY = "version: 1\npolicy: web\nallow: [{id: https, service: https}]\n"
SERVICES = "ssh 22/tcp\nhttps 4444/tcp\nsnake 443/tcp\n"


def test_https_on_4444_is_not_allowed_is_reported_and_keeps_its_label(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(POLICY)
    labels = ServiceTable.parse(SERVICES).labels()
    ports = (443, 4444)
    facts = some_facts(*(a_listener(port=port, service=labels[f"{port}/tcp"]) for port in ports), services=labels)
    judgement = evaluate(a_host(), facts, load_policies([tmp_path]), NOW)
    assert [(one.port, one.service, one.verdict) for one in judgement.listeners] == [
        (443, "snake", "allowed"),
        (4444, "https", "unexpected"),
    ]
    assert [(one.rule, one.severity, one.subject) for one in judgement.findings] == [
        ("unexpected-listener", "high", "tcp 0.0.0.0:4444 (https)"),
        ("service-name-conflict", "low", "https/tcp"),
    ]
    report = HostReport(
        name="web-01",
        address="web-01",
        groups=(),
        status=judge_host(judgement.findings, None, "low"),
        policies=judgement.policies,
        error=None,
        facts=facts.system,
        listeners=judgement.listeners,
        findings=judgement.findings,
    )
    run = Run(
        id="x", started_at=NOW, finished_at=NOW, inventory=InventoryRef(path="i.yaml", sha256="0" * 64), policies=()
    )
    shown = render_text(build_report(run, [report], (), "low", Generator(name="netaudit", version="0"))).decode()
    assert "unexpected-listener  tcp 0.0.0.0:4444 (https)" in shown
    assert "the host's own /etc/services calls 4444/tcp https; the policies mean 443/tcp" in shown
