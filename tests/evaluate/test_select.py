"""Which policies hold for a host."""

import pytest

from auditor.evaluate import compile_policies
from auditor.evaluate.select import applies
from auditor.model.policy import Selector
from tests.builders import a_host, a_policy, a_policy_set

WEB = a_host("web-01", groups=("web", "prod"), labels={"env": "prod", "tier": "1"})


@pytest.mark.parametrize(
    ("applies_to", "excluded", "expected"),
    [
        pytest.param(None, None, True, id="absent: every host"),
        pytest.param(Selector(), None, True, id="no key given: every host"),
        pytest.param(Selector(groups=("web",)), None, True, id="group"),
        pytest.param(Selector(groups=("db", "web")), None, True, id="one group of several is enough"),
        pytest.param(Selector(groups=("we*",)), None, False, id="groups are names, not globs"),
        pytest.param(Selector(hosts=("web-*",)), None, True, id="host glob"),
        pytest.param(Selector(hosts=("db-*", "web-0[12]")), None, True, id="one glob of several is enough"),
        pytest.param(Selector(hosts=("WEB-*",)), None, False, id="case matters"),
        pytest.param(Selector(hosts=("web",)), None, False, id="a glob is the whole name"),
        pytest.param(Selector(labels={"env": "prod"}), None, True, id="label"),
        pytest.param(Selector(labels={"env": "prod", "tier": "2"}), None, False, id="labels must all hold"),
        pytest.param(Selector(labels={"zone": "a"}), None, False, id="a label the host has not"),
        pytest.param(Selector(groups=("web",), hosts=("db-*",)), None, False, id="keys must all hold"),
        pytest.param(Selector(groups=("web",), hosts=("web-*",), labels={"tier": "1"}), None, True, id="all keys hold"),
        pytest.param(None, Selector(hosts=("web-01",)), False, id="except by host"),
        pytest.param(None, Selector(groups=("prod",), hosts=("nothing",)), False, id="except: any key is enough"),
        pytest.param(None, Selector(labels={"env": "prod", "tier": "2"}), True, id="except: labels must all hold"),
        pytest.param(None, Selector(), True, id="except nothing"),
        pytest.param(Selector(hosts=("web-01",)), Selector(groups=("web",)), False, id="except wins"),
    ],
)
def test_a_policy_applies(applies_to: Selector | None, excluded: Selector | None, expected: bool) -> None:
    assert applies(a_policy(applies_to=applies_to, excluded=excluded), WEB) is expected


def test_the_fleet_shares_what_is_compiled_and_names_are_sorted() -> None:
    policies = compile_policies(
        a_policy_set(a_policy(name="web", applies_to=Selector(groups=("web",))), a_policy(name="base"))
    )
    assert policies.names_for(WEB) == ("base", "web")
    assert policies.names_for(a_host("db-01")) == ("base",)
    assert policies.rulebook_for(a_host("db-01")) is policies.rulebook_for(a_host("db-02"))


def test_no_policy_is_no_rulebook() -> None:
    policies = compile_policies(a_policy_set(a_policy(applies_to=Selector(hosts=("db-*",)))))
    assert policies.rulebook_for(WEB) is None
    assert policies.names_for(WEB) == ()
