"""One host's facts and the policies in, a judgement out: every listener with its verdict, and the findings.

    CompiledPolicies.rulebook_for(host) ─┐
    HostFacts.listeners ─────────────────┴─judge_listener→ Outcome… ─rules→ Finding…

Pure: no I/O, no clock, nothing kept but what was compiled. `match` decides what satisfies a policy line, `judge` what
wins, `rules/` how it is said, and `explain`, which only its own commands import, why it came out so.
"""

from auditor.evaluate.compiled import CompiledPolicies, compile_policies
from auditor.evaluate.hygiene import review_policies
from auditor.evaluate.verdict import evaluate, report_unreachable

__all__ = [
    "CompiledPolicies",
    "compile_policies",
    "evaluate",
    "report_unreachable",
    "review_policies",
]
