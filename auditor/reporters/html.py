"""AuditReport in, one HTML file out: self-contained, nothing loaded, readable without JavaScript.

What stands in the page as markup is what a reader without JavaScript gets; the data island below it is what the page's
own script shows instead: every finding, host and listener, found and sorted in place.
"""

from collections.abc import Sequence

from markupsafe import Markup

from auditor.model.report import AuditReport
from auditor.reporters.brand import UNBRANDED, Brand
from auditor.reporters.html_data import build_island
from auditor.reporters.html_fleet import count_fleet
from auditor.reporters.html_page import build_page
from auditor.reporters.html_paper import style_foot
from auditor.reporters.html_template import environment, hash_content
from auditor.reporters.past_runs import PastRun

_STYLES = ("style/base.css", "style/trend.css", "style/app.css")
_BOOT = "app/boot.js"


def render(report: AuditReport, earlier: Sequence[PastRun] = (), brand: Brand = UNBRANDED) -> bytes:
    """Return the report as one UTF-8 HTML document; with `earlier` runs it shows a trend, and `brand` says whose it is.

    Equal reports, brands, and runs before them give equal bytes.
    """
    fleet = count_fleet(report)
    island = build_island(fleet)
    page = build_page(fleet, notes=island.notes, earlier=earlier)
    data = Markup(island.content)  # noqa: S704 - JSON or base64 without any `<`, see html_data.py
    foot = style_foot(report, "netaudit")
    template = environment().get_template("report.html")
    shown = template.render(
        page=page,
        brand=brand,
        logo=brand.logo and brand.logo.data_uri,
        media_type=island.media_type,
        data=data,
        foot=foot,
        csp=_content_policy(foot),
    )
    return shown.encode()


def _content_policy(foot: str) -> str:
    """Return the policy that admits the page's own style and scripts, by hash (CSP Level 3 §8.3), and nothing else."""
    style = hash_content(_STYLES, foot)
    boot, app = hash_content((_BOOT,)), hash_content(("app.js",))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{boot}' '{app}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
