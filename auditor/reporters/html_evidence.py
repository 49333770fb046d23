"""AuditReport in, a page for the auditor's file out: for each control its scope, result, exceptions, method, limits."""

from auditor.model.report import AuditReport
from auditor.reporters.brand import UNBRANDED, Brand
from auditor.reporters.html_controls import build_controls, list_deviations
from auditor.reporters.html_hosts import spell_time
from auditor.reporters.html_paper import style_foot
from auditor.reporters.html_template import environment, hash_content

DEVIATIONS = 500
"""Kinds of deviation told in full; the JSON report has all of them."""
_STYLES = ("style/base.css", "style/evidence.css")


def render(report: AuditReport, brand: Brand = UNBRANDED) -> bytes:
    """Return the control evidence as one UTF-8 HTML document without script. Equal input gives equal bytes."""
    images = " img-src data:;" if brand.logo else ""
    foot = style_foot(report, "netaudit control evidence")
    policy = (
        f"default-src 'none'; style-src '{hash_content(_STYLES, foot)}';{images} base-uri 'none'; form-action 'none'"
    )
    deviations = list_deviations(report)
    shown = deviations[:DEVIATIONS]
    template = environment().get_template("evidence.html")
    text = template.render(
        report=report,
        brand=brand,
        logo=brand.logo and brand.logo.data_uri,
        controls=build_controls(report),
        deviations=shown,
        deviations_hidden=len(deviations) - len(shown),
        numbers={one.finding: number for number, one in enumerate(shown, start=1)},
        started=spell_time(report.run.started_at),
        finished=spell_time(report.run.finished_at),
        audited=report.fully_audited,
        foot=foot,
        csp=policy,
    )
    return text.encode()
