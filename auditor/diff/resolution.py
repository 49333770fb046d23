"""A finding that is not there any more in, why it may not be called resolved out: nobody looked, or not by its rule.

What a finding is about is told by its subject, which has the form that `evaluate` gives it. A host that writes such
words into its own /etc/services only makes its own findings no longer observable.
"""

import re
from collections.abc import Mapping

from auditor.diff.sight import judge_sight, list_reclassified, shows_another_key
from auditor.model.finding import Finding
from auditor.model.report import HostReport

_NATTED = re.compile(r" to .* \((?:nftables|iptables)\)", re.DOTALL)


class Resolution:
    """What of a host's old findings its new report can resolve; None: the host is not in it.

    `paths` are the files of the old run's policies, by name.
    """

    def __init__(self, old: HostReport, new: HostReport | None, paths: Mapping[str, str]) -> None:
        self._unsure = _doubt_all(old, new)
        if new is None or self._unsure:
            return
        self._gone = sorted({*old.policies} - {*new.policies})
        self._kept = {paths.get(name) for name in new.policies}
        self._namespaces = judge_sight(new).namespaces
        self._nat = _doubt_nat(new)
        self._reclassified = [name.split(" ") for name in list_reclassified(old, new)]

    def doubt(self, finding: Finding) -> str:
        """Return why a finding that is gone may not be called resolved; '' where it is."""
        if self._unsure:
            return self._unsure
        if self._gone and (finding.origin is None or finding.origin.file not in self._kept):
            return f"other policies apply to the host: no longer {', '.join(self._gone)}"
        if " in netns " in finding.subject and not self._namespaces:
            return "other network namespaces than the host's own were not read"
        if self._nat and _NATTED.search(finding.subject):
            return self._nat
        words = finding.subject.split(" ")
        if any(proto == words[0] and place in words for _, proto, place in self._reclassified):
            return "the socket is still open, and now counts as a client's"
        return ""


def _doubt_all(old: HostReport, new: HostReport | None) -> str:
    if new is None:
        return "the host is not in the newer report"
    if new.error is not None:
        return "the host could not be audited"
    if not new.fully_audited:
        return "the host was not fully audited"
    return "the host shows another SSH key than before" if shows_another_key(old, new) else ""


def _doubt_nat(host: HostReport) -> str:
    """Return why it is not known which ports NAT leads elsewhere."""
    ledger = next((ledger for ledger in host.coverage if ledger.source == "nat"), None)
    if host.facts is not None and host.facts.reader_netns == "other":
        status = "another network namespace's"
    elif ledger is None:
        status = "not read"
    elif ledger.rejected:
        status = f"{ledger.status} in part"
    elif ledger.status in {"ok", "absent"}:
        return ""
    else:
        status = ledger.status
    return f"which ports NAT leads elsewhere is not known ({status})"
