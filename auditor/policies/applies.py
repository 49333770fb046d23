"""What `applies_to` says in, selectors of the model out."""

from auditor.document import Document
from auditor.model.policy import Selector
from auditor.policies.file import AppliesFile, SelectorFile


def read_applies(document: Document, applies: AppliesFile | None) -> Selector | None:
    """Return which hosts a policy is for, None for every host; `except` is not part of it."""
    if applies is None:
        return None
    if not applies.model_fields_set and not document.is_damaged(("applies_to",)):
        document.complain(("applies_to",), "nothing stands in here", "remove it to mean every host, or name groups")
    left_out = applies.except_
    if left_out is not None and not left_out.model_fields_set and not document.is_damaged(("applies_to", "except")):
        document.complain(("applies_to", "except"), "nothing stands in here", "name hosts, groups or labels")
    return read_selector(applies)


def read_selector(selector: SelectorFile | None) -> Selector | None:
    if selector is None or (selector.groups, selector.hosts, selector.labels) == (None, None, None):
        return None
    return Selector(
        groups=tuple(selector.groups or ()), hosts=tuple(selector.hosts or ()), labels=selector.labels or {}
    )
