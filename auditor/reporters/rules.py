"""What each rule means and why it matters, for the formats that carry a catalogue of rules."""

from typing import NamedTuple

from auditor.model.finding import RuleId


class RuleText(NamedTuple):
    """`meaning` says what is the case, `risk` why that matters; each is one sentence or two."""

    meaning: str
    risk: str

    @property
    def help(self) -> str:
        return f"{self.meaning} {self.risk}"


RULE_TEXTS: dict[RuleId, RuleText] = {
    "unexpected-listener": RuleText(
        "Something listens on a port that no line of any policy for this host allows.",
        "Nobody has said that it should be there: it may be forgotten, misconfigured, or an intruder's.",
    ),
    "forbidden-listener": RuleText(
        "Something listens on a port that a deny line of a policy forbids.",
        "The policy's author ruled this service out, whatever other policies allow.",
    ),
    "missing-listener": RuleText(
        "A policy requires a listener, and nothing listens there.",
        "The service is down, or has moved away from where it is expected.",
    ),
    "exposed-listener": RuleText(
        "The port is allowed, but the listener is bound to more addresses than the policy allows.",
        "Networks that were not meant to can connect to it.",
    ),
    "wrong-owner": RuleText(
        "The port is allowed, but another process, user, unit or container holds it than the policy says.",
        "Another program answers in the place of the expected one.",
    ),
    "service-name-conflict": RuleText(
        "The host's own /etc/services gives a name another port than the trusted table does.",
        "Whoever reads names on that host is misled about which service a port is.",
    ),
    "connection-states": RuleText(
        "More TCP sockets of the host are in a state than a policy allows.",
        "Connections pile up: an application does not close them, peers have vanished, or somebody floods the host.",
    ),
    "accept-queue": RuleText(
        "More connections wait at a listener than a policy allows.",
        "The program behind it does not accept them fast enough, or not at all: clients wait, and then are refused.",
    ),
    "expired-waiver": RuleText(
        "A waiver has run out, and what it covered is still there.",
        "An exception that was meant to end is in use without anybody's consent.",
    ),
    "evidence-gap": RuleText(
        "Something about the host could not be known.",
        "What was not seen cannot be vouched for, so the host is not called compliant.",
    ),
    "no-policy": RuleText(
        "No policy applies to the host.",
        "Nothing was compared with anything there, so the host is not called compliant.",
    ),
    "unreachable": RuleText(
        "The host could not be reached or read.",
        "Nothing is known about what listens there.",
    ),
}


def title_rule(rule: RuleId) -> str:
    """Return `Unexpected listener` for `unexpected-listener`."""
    return rule.replace("-", " ").capitalize()
