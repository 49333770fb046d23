"""Hosts and what was seen on them in; the smallest readable policies that make them pass, out.

    (Host, HostFacts)… ─observe→ Seen… ─find_roles→ Role… ─draw up→ Baseline… ─render_baseline→ YAML

Only hosts that were read completely count. What all roles have in common goes into a policy `base`; the rest into one
policy for each role; what few hosts of a role have is left out, and told. Pure, and the same for hosts in any order.
"""

from auditor.baseline.baseline import Baseline, Habits, baseline
from auditor.baseline.text import render_baseline

__all__ = ["Baseline", "Habits", "baseline", "render_baseline"]
