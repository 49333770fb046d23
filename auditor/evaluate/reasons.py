"""A meeting of a line and a listener in, each of its parts in words out. What was decided is `match`'s to say."""

from collections.abc import Iterator

from auditor.evaluate.match import Candidate, Meeting
from auditor.evaluate.wording import (
    NAMESPACES,
    join_words,
    name_binds,
    name_condition,
    name_holders,
    name_port,
    say_unseen,
)
from auditor.model.explanation import Reason
from auditor.model.facts import Listener


def say_meeting(candidate: Candidate, listener: Listener, meeting: Meeting) -> Iterator[Reason]:
    """Yield why a line is, or is not, about a listener on a port it names."""
    entry = candidate.line.entry
    yield Reason(answer="yes", words=f"it names {name_port(listener)}")
    if not meeting.netns or entry.netns != "host":
        where = "the host's own" if listener.netns == "host" else listener.netns
        yield _say(meeting.netns, f"it is about {NAMESPACES[entry.netns]}, and this one is in {where}")
    if meeting.families != "all" or len(candidate.families) == 1:
        yield _say_families(candidate, meeting)
    if entry.bind:
        yield _say_bind(candidate, listener, meeting)
    if entry.owner is not None:
        yield _say_owner(candidate, listener, meeting)


def say_elsewhere(claim: str, listener: Listener) -> Reason:
    """Return why a line that does not name the port is not about the listener."""
    return Reason(answer="no", words=f"it names {claim}, not {name_port(listener)}")


def _say(truth: bool, words: str) -> Reason:
    return Reason(answer="yes" if truth else "no", words=words)


def _say_families(candidate: Candidate, meeting: Meeting) -> Reason:
    pinned = "IPv4" if candidate.families == {"ipv4"} else "IPv6"
    other = "IPv6" if pinned == "IPv4" else "IPv4"
    found = {"all": f"takes {pinned} only", "some": f"takes (or may take) {other} too", "none": f"takes {other} only"}
    forbids = candidate.line.entry.action == "deny" and meeting.families != "none"
    return _say(forbids or meeting.families == "all", f"it pins {pinned}, and the listener {found[meeting.families]}")


def _say_bind(candidate: Candidate, listener: Listener, meeting: Meeting) -> Reason:
    binds = name_binds(candidate.line.entry)
    address = f"{listener.address} (scope {listener.scope})"
    if candidate.line.entry.action == "deny":
        verb = "has addresses in common with" if meeting.bind else "has no address in common with"
    else:
        verb = "holds" if meeting.bind else "does not hold"
    return _say(meeting.bind, f"its bind {binds} {verb} {address}")


def _say_owner(candidate: Candidate, listener: Listener, meeting: Meeting) -> Reason:
    condition = candidate.line.entry.owner
    if condition is None:
        return Reason(answer="yes", words="anybody may hold it")
    if meeting.owner == "unknown":
        why = say_unseen(candidate.line.entry, listener)
        noun = "who holds it is not seen" if "processes" in why else "its user cannot be compared"
        found = f"{noun} ({join_words(list(why.values()))})"
    else:
        found = f"{name_holders(listener, (condition,))} holds it"
    return Reason(answer=meeting.owner, words=f"it is for {name_condition(condition)}, and {found}")
