"""A finding about listeners and what was decided on them in, the finding with every control it counts against out.

A rule takes the controls of the line that decided, or of its policy. But a listener may break several policies at once:
each that applies to the host, lists what may listen there (`default: deny`), and has no line for it.
"""

from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.judge import Outcome
from auditor.evaluate.match import accept, reach_of
from auditor.evaluate.rulebook import Rulebook, find_switch
from auditor.evaluate.wording import list_controls
from auditor.model.facts import Listener
from auditor.model.finding import Finding
from auditor.model.policy import Default, Policy, Severity, Switch


def add_controls(
    finding: Finding, book: Rulebook, outcomes: Sequence[Outcome], switch: Switch | None = None
) -> Finding:
    """Return `finding` with the controls of all lines and policies that `outcomes` break.

    `switch` is the setting that speaks for what no line names; None: the one for each listener.
    """
    return unite_controls(finding, _list_broken(finding.severity, book, outcomes, switch))


def unite_controls(finding: Finding, others: Iterable[str]) -> Finding:
    """Return `finding` with `others` after its own controls, each once."""
    controls = tuple(dict.fromkeys((*finding.controls, *others)))
    return finding if controls == finding.controls else finding.model_copy(update={"controls": controls})


def _list_broken(
    severity: Severity, book: Rulebook, outcomes: Sequence[Outcome], switch: Switch | None
) -> Iterator[str]:
    for line in dict.fromkeys(line for one in outcomes if one.line is not None for line in one.lines):
        yield from list_controls(line)
    # What a policy only warns of is an observation, and says nothing against a control of its own.
    objecting: tuple[Default, ...] = ("deny", "warn") if severity == "info" else ("deny",)
    for policy in book.policies:
        asked = (one for one in outcomes if getattr(policy, switch or find_switch(one.listener)) in objecting)
        # What nobody allows this policy does not either; what another one forbids it may.
        if policy.controls and any(one.verdict != "denied" or not _allows(book, policy, one.listener) for one in asked):
            yield from policy.controls


def _allows(book: Rulebook, policy: Policy, listener: Listener) -> bool:
    """Return whether a line of `policy` accepts a listener."""
    reach = reach_of(listener)
    candidates = book.allow.at(listener.proto, listener.port)
    return any(one.line.policy is policy and accept(one, reach).fit in {"whole", "unseen"} for one in candidates)
