"""AuditReport in, a folder of HTML pages out: no JavaScript, no inline style, for servers that allow neither.

Jenkins shows archived pages under `sandbox; default-src 'none'; img-src 'self'; style-src 'self'` (its handbook,
"Configuring Content Security Policy"). The pages come from the templates of the single file, a few hosts on each.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from auditor.model.report import AuditReport
from auditor.reporters.brand import UNBRANDED, Brand
from auditor.reporters.html_findings import anchor_host, list_findings
from auditor.reporters.html_fleet import count_fleet
from auditor.reporters.html_hosts import view_host
from auditor.reporters.html_page import FINDINGS, build_page
from auditor.reporters.html_template import environment

HOSTS_PER_PAGE = 50
FINDINGS_PER_PAGE = 500

Row = TypeVar("Row")


def render_folder(report: AuditReport, brand: Brand = UNBRANDED) -> Iterator[tuple[str, bytes]]:
    """Yield each file as its relative path and its bytes, `index.html` last. Equal input gives equal bytes."""
    fleet = count_fleet(report)
    hosts = _cut([report.hosts[at] for at in fleet.ranked], HOSTS_PER_PAGE)
    findings = _cut(list_findings(report), FINDINGS_PER_PAGE)
    names = [_number("hosts", page) for page in range(len(hosts))]
    links = {
        host.name: f"{name}#{anchor_host(host.name)}" for name, some in zip(names, hosts, strict=True) for host in some
    }
    many = sum(len(some) for some in findings) > FINDINGS
    rolls = [_number("findings", page) for page in range(len(findings))] if many else []
    page = build_page(fleet, pages={"run": "index.html#run"}, links=links)
    styles = [
        environment().get_template(name).render() for name in ("style/base.css", "style/trend.css", "style/app.css")
    ]
    yield "style.css", "".join(styles).encode()
    if brand.logo:
        yield brand.logo.file_name, brand.logo.data
    template = environment().get_template("dir_hosts.html")
    for at, some in enumerate(hosts):
        views = [view_host(host) for host in some]
        yield names[at], template.render(page=page, brand=brand, hosts=views, names=names, at=at).encode()
    template = environment().get_template("dir_findings.html")
    for at, name in enumerate(rolls):
        yield name, template.render(page=page, brand=brand, rows=findings[at], names=rolls, at=at).encode()
    index = environment().get_template("dir_index.html")
    logo = brand.logo and brand.logo.file_name
    shown = index.render(page=page, brand=brand, logo=logo, host_pages=names, finding_pages=rolls)
    yield "index.html", shown.encode()


def _number(kind: str, page: int) -> str:
    return f"{kind}-{page + 1:03d}.html"


def _cut(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]
