"""Values made without checks are what the checks would have made of the same fields."""

from auditor.model.facts import Listener
from auditor.model.report import Decision, JudgedListener
from auditor.model.value import trusted, widened

FIELDS = {"proto": "tcp", "family": "ipv6", "address": "::", "port": 443, "scope": "wildcard", "raw": "0: 0000"}


def test_fields_in_any_order_and_defaults_make_the_same_value() -> None:
    checked = Listener.model_validate(FIELDS)
    made = trusted(Listener)(**dict(reversed(FIELDS.items())))  # type: ignore[arg-type]  # of good types, as seen above
    assert made == checked
    assert made.model_dump_json() == checked.model_dump_json()
    assert hash(made) == hash(checked)


def test_a_wider_value_has_the_fields_of_the_narrower_one_and_its_own() -> None:
    decision = Decision(policy="web", entry="https", file="web.yaml", line=4)
    narrow = trusted(Listener)(**FIELDS)  # type: ignore[arg-type]  # as above
    wide = widened(JudgedListener)(narrow, verdict="allowed", decided_by=decision)
    checked = JudgedListener.model_validate({**FIELDS, "verdict": "allowed", "decided_by": decision})
    assert wide == checked
    assert wide.model_dump_json() == checked.model_dump_json()
    assert narrow == Listener.model_validate(FIELDS)
