"""A policy set in, the same ready for a whole fleet out."""

from auditor.evaluate.rulebook import Rulebook, compile_rulebook
from auditor.evaluate.select import applies
from auditor.model.host import Host
from auditor.model.policy import PolicySet


class CompiledPolicies:
    """A policy set made ready once for a whole fleet; many threads may ask it at once.

    Hosts to which the same policies apply share one rulebook. Two threads may compile the same one at the same moment;
    both are equal, and `setdefault` keeps one.
    """

    def __init__(self, policies: PolicySet) -> None:
        self._policies = tuple(sorted(policies.policies, key=lambda policy: policy.name))
        self._rulebooks: dict[tuple[int, ...], Rulebook | None] = {}

    def rulebook_for(self, host: Host) -> Rulebook | None:
        """Return all policies that apply to `host` as one; None when there are none."""
        chosen = tuple(number for number, policy in enumerate(self._policies) if applies(policy, host))
        if chosen not in self._rulebooks:
            self._rulebooks.setdefault(chosen, compile_rulebook(self._policies[number] for number in chosen))
        return self._rulebooks[chosen]

    def names_for(self, host: Host) -> tuple[str, ...]:
        """Return the names of the policies that apply to `host`, sorted."""
        book = self.rulebook_for(host)
        return book.names_of_policies if book else ()


def compile_policies(policies: PolicySet) -> CompiledPolicies:
    """Return `policies` ready for many hosts."""
    return CompiledPolicies(policies)
