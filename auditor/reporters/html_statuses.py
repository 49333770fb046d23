"""The statuses of a host, in the order in which a reader should look."""

from auditor.model.report import HostStatus

STATUSES: tuple[HostStatus, ...] = ("violating", "incomplete", "unreachable", "compliant")
