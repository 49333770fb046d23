"""Files of policy cases in; what differs from what the policies really say, and which entries no case shows, out.

load_cases(find_cases(folder)) → Case… ─(evaluated by the caller)→ Said… ─compare_case→ Difference…
"""

from auditor.cases.case import Case, Expectation, Said
from auditor.cases.compare import Difference, compare_case
from auditor.cases.coverage import Coverage
from auditor.cases.listener import parse_listener
from auditor.cases.load import find_cases, load_cases

__all__ = [
    "Case",
    "Coverage",
    "Difference",
    "Expectation",
    "Said",
    "compare_case",
    "find_cases",
    "load_cases",
    "parse_listener",
]
