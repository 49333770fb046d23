"""Values made without checks are what the checks would have made of the same fields."""

import pickle

from auditor.evaluate import evaluate
from auditor.model.facts import Listener
from auditor.model.policy import PolicySet
from auditor.model.report import Decision, JudgedListener
from auditor.model.value import filled, trusted
from tests.builders import NOW, a_host
from tests.parse.kernel import TCP_HEADER, tcp_row
from tests.parse.snapshots import parse

FIELDS = {"proto": "tcp", "family": "ipv6", "address": "::", "port": 443, "scope": "wildcard", "raw": "0: 0000"}


def test_fields_in_any_order_and_defaults_make_the_same_value() -> None:
    checked = Listener.model_validate(FIELDS)
    made = trusted(Listener)(**dict(reversed(FIELDS.items())))  # type: ignore[arg-type]  # of good types, as seen above
    assert made == checked
    assert made.model_dump_json() == checked.model_dump_json()
    assert hash(made) == hash(checked)


def test_fields_in_the_order_of_the_model_make_the_same_value() -> None:
    decision = Decision(policy="web", entry="https", file="web.yaml", line=4)
    checked = JudgedListener.model_validate({**FIELDS, "verdict": "allowed", "decided_by": decision})
    made = filled(JudgedListener)({name: getattr(checked, name) for name in JudgedListener.model_fields})
    assert made == checked
    assert made.model_dump_json() == checked.model_dump_json()
    assert hash(made) == hash(checked)
    assert made.model_copy(update={"port": 444}) == checked.model_copy(update={"port": 444})
    assert pickle.loads(pickle.dumps(made)) == checked  # noqa: S301 - its own bytes


def test_listeners_are_filled_with_all_fields_in_their_order() -> None:
    facts = parse(tcp=TCP_HEADER + tcp_row("0.0.0.0", 80))
    (seen,) = facts.listeners
    (judged,) = evaluate(a_host(), facts, PolicySet(policies=()), NOW).listeners
    assert list(vars(seen)) == list(Listener.model_fields)
    assert list(vars(judged)) == list(JudgedListener.model_fields)
    assert JudgedListener.model_validate(judged.model_dump()) == judged
