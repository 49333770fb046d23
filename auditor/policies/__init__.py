"""Policy files in, a `PolicySet` out: service names resolved, every entry with its line, every mistake told at once."""

from auditor.policies.load import load_policies

__all__ = ["load_policies"]
