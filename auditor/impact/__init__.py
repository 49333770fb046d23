"""The same hosts judged by two sets of policies in; who newly passes or fails, and for what, out.

(HostReport by OLD, HostReport by NEW)… ─compare→ Impact ─render_markdown→ a comment on a pull request
"""

from auditor.impact.compare import Impact, compare
from auditor.impact.markdown import render_markdown

__all__ = ["Impact", "compare", "render_markdown"]
