"""Who may hold a socket: the whole table, worked out by hand.

Columns are listeners on port 443, all on 0.0.0.0, by who holds them:

    ng   nginx (/usr/sbin/nginx, unit nginx.service)         doc  docker-proxy (/usr/bin/docker-proxy)
    nc   nc (/usr/bin/nc), which eve (1000) started          ctr  nginx in the container 3f2a
    n+c  nginx and nc                                        ker  no process: the kernel
    1    systemd, pid 1                                      noe  nginx, the path of its program unreadable
    1+n  systemd and nginx (socket activation)               unp  not visible without root; user www-data (33)
    1+c  systemd and nc                                      ---  not collected; not even the user is known

All but nc, unp and --- belong to root. Rows are conditions: `key=value` with `|` between values, `+` between keys.
"""

from typing import Any

import pytest

from auditor.evaluate import evaluate
from auditor.evaluate.explain import explain_listener
from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import accept, reach_of, ready_line, touch
from auditor.model.facts import Listener, Owner
from auditor.model.policy import OWNER_CLASSES, Entry, OwnerCondition, Waiver
from auditor.model.report import judge_host
from tests.builders import (
    NOW,
    a_held_listener,
    a_host,
    a_listener,
    a_policy,
    a_policy_set,
    a_waiver,
    an_entry,
    some_facts,
)
from tests.evaluate.tables import name_rows, read_table

NGINX = Owner(pid=812, comm="nginx", exe="/usr/sbin/nginx", unit="nginx.service")
NC = Owner(pid=4711, comm="nc", exe="/usr/bin/nc", unit="session-3.scope")
SYSTEMD = Owner(pid=1, comm="systemd", exe="/usr/lib/systemd/systemd", unit="init.scope")
PROXY = Owner(pid=900, comm="docker-proxy", exe="/usr/bin/docker-proxy", unit="docker.service")
INSIDE = Owner(pid=950, comm="nginx", exe="/usr/sbin/nginx", unit="docker-3f2a.scope", container="3f2a")
PATHLESS = Owner(pid=812, comm="nginx", unit="nginx.service")


def held(*owners: Owner, uid: int = 0, user: str = "root") -> Listener:
    return a_held_listener(owners=owners, uid=uid, user=user)


LISTENERS = {
    "ng": held(NGINX),
    "nc": held(NC, uid=1000, user="eve"),
    "n+c": held(NGINX, NC),
    "1": held(SYSTEMD),
    "1+n": held(SYSTEMD, NGINX),
    "1+c": held(SYSTEMD, NC),
    "doc": held(PROXY),
    "ctr": held(INSIDE),
    "ker": a_listener(port=443, owner_status="kernel", uid=0, user="root"),
    "noe": held(PATHLESS),
    "unp": a_listener(port=443, owner_status="unprivileged", uid=33, user="www-data"),
    "---": a_listener(port=443),
}

ALLOW = """
An allow line accepts a listener when every process that holds it fits; systemd counts only when it is alone.
A: accepted.  W: somebody else holds it (wrong-owner).  ?: who holds it is not seen: a gap, never a pass.

condition                       ng  nc  n+c 1   1+n 1+c doc ctr ker noe unp ---
process=nginx                   A   W   W   W   A   W   W   A   W   A   ?   ?
process=nginx|nc                A   A   A   W   A   A   W   A   W   A   ?   ?
process=n*                      A   A   A   W   A   A   W   A   W   A   ?   ?
process=systemd                 W   W   W   A   W   W   W   W   W   W   ?   ?
process=systemd|nginx           A   W   W   A   A   W   W   A   W   A   ?   ?
exe=/usr/sbin/nginx             A   W   W   W   A   W   W   A   W   ?   ?   ?
exe=/usr/sbin/*                 A   W   W   W   A   W   W   A   W   ?   ?   ?
unit=nginx.service              A   W   W   W   A   W   W   W   W   A   ?   ?
container=*                     W   W   W   W   W   W   W   A   W   W   ?   ?
container=3f*                   W   W   W   W   W   W   W   A   W   W   ?   ?
container=9*                    W   W   W   W   W   W   W   W   W   W   ?   ?
user=root                       A   W   A   A   A   A   A   A   A   A   W   ?
user=0                          A   W   A   A   A   A   A   A   A   A   W   ?
user=www-data                   W   W   W   W   W   W   W   W   W   W   A   ?
user=33|1000                    W   A   W   W   W   W   W   W   W   W   A   ?
owner=kernel                    W   W   W   W   W   W   W   W   A   W   ?   ?
owner=systemd                   W   W   W   A   A   A   W   W   W   W   ?   ?
owner=docker-proxy              W   W   W   W   W   W   A   W   W   ?   ?   ?
owner=kubelet                   W   W   W   W   W   W   W   W   W   ?   ?   ?
owner=container                 W   W   W   W   W   W   W   A   W   W   ?   ?
owner=kernel|docker-proxy       W   W   W   W   W   W   A   W   A   ?   ?   ?
process=nginx+user=root         A   W   W   W   A   W   W   A   W   A   W   ?
process=nginx+user=www-data     W   W   W   W   W   W   W   W   W   W   ?   ?
process=nginx+exe=/usr/sbin/*   A   W   W   W   A   W   W   A   W   ?   ?   ?
process=nginx+owner=container   W   W   W   W   W   W   W   A   W   W   ?   ?
process=nginx+owner=kernel      W   W   W   W   W   W   W   W   W   W   ?   ?
"""

DENY = """
A deny line hits a listener when any process that holds it fits, systemd too.
D: denied.  `.`: not hit.  ?: who holds it is not seen: a gap, and neither denied nor allowed.

condition                       ng  nc  n+c 1   1+n 1+c doc ctr ker noe unp ---
process=nc                      .   D   D   .   .   D   .   .   .   .   ?   ?
process=systemd                 .   .   .   D   D   D   .   .   .   .   ?   ?
exe=/usr/bin/nc                 .   D   D   .   .   D   .   .   .   ?   ?   ?
unit=session-*                  .   D   D   .   .   D   .   .   .   .   ?   ?
container=*                     .   .   .   .   .   .   .   D   .   .   ?   ?
user=eve                        .   D   .   .   .   .   .   .   .   .   .   ?
user=1000                       .   D   .   .   .   .   .   .   .   .   .   ?
owner=kernel                    .   .   .   .   .   .   .   .   D   .   ?   ?
owner=systemd                   .   .   .   D   D   D   .   .   .   .   ?   ?
owner=docker-proxy              .   .   .   .   .   .   D   .   .   ?   ?   ?
owner=kubelet                   .   .   .   .   .   .   .   .   .   ?   ?   ?
owner=container                 .   .   .   .   .   .   .   D   .   .   ?   ?
process=nc+user=root            .   .   D   .   .   D   .   .   .   .   .   ?
"""

NETNS = """
A line is for the host's own network namespace unless it says otherwise; neither allow nor deny reaches further.

netns       host  other
host        yes   no
containers  no    yes
any         yes   yes
"""


def a_condition(text: str) -> OwnerCondition:
    pairs = (part.partition("=") for part in text.split("+"))
    values: dict[str, Any] = {key: tuple(words.split("|")) for key, _, words in pairs}
    values["classes"] = values.pop("owner", ())
    return OwnerCondition.model_validate(values)


def fit_of(entry: Entry, listener: Listener) -> str:
    [candidate] = PortIndex([ready_line(entry, a_policy())]).at("tcp", 443)
    if entry.action == "deny":
        return {"yes": "D", "no": ".", "unknown": "?"}[touch(candidate, reach_of(listener)).hit]
    fits = {"whole": "A", "wrong": "W", "unseen": "?", "part": "E", "none": "."}
    return fits[accept(candidate, reach_of(listener)).fit]


def cells_for(condition: str, action: str) -> dict[str, str]:
    entry = an_entry("line", "443/tcp", action=action, owner=a_condition(condition))
    return {name: fit_of(entry, listener) for name, listener in LISTENERS.items()}


@pytest.mark.parametrize(("line", "expected"), name_rows(ALLOW, 1))
def test_whom_an_allow_line_accepts(line: tuple[str], expected: dict[str, str]) -> None:
    assert cells_for(line[0], "allow") == expected


@pytest.mark.parametrize(("line", "expected"), name_rows(DENY, 1))
def test_whom_a_deny_line_hits(line: tuple[str], expected: dict[str, str]) -> None:
    assert cells_for(line[0], "deny") == expected


@pytest.mark.parametrize(("line", "expected"), name_rows(NETNS, 1))
@pytest.mark.parametrize("action", ["allow", "deny"])
def test_which_namespace_a_line_is_about(line: tuple[str], expected: dict[str, str], action: str) -> None:
    entry = an_entry("line", "443/tcp", action=action, netns=line[0])
    found = {
        "host": fit_of(entry, a_listener(port=443)),
        "other": fit_of(entry, a_listener(port=443, netns="net:[4026532281]")),
    }
    assert {name: {"A": "yes", "D": "yes", ".": "no"}[fit] for name, fit in found.items()} == expected


def test_the_tables_ask_for_every_key_and_class() -> None:
    for table in (ALLOW, DENY):
        asked = [a_condition(line[0]) for line, _ in read_table(table, 1)]
        assert {key for one in asked for key in OwnerCondition.model_fields if getattr(one, key)} == set(
            OwnerCondition.model_fields
        )
        assert {name for one in asked for name in one.classes} == set(OWNER_CLASSES)


def test_an_address_that_is_too_wide_comes_before_the_owner() -> None:
    """What is bound too wide is exposed, whoever holds it."""
    entry = an_entry("line", "443/tcp", bind="loopback", owner=a_condition("process=nginx"))
    assert [fit_of(entry, LISTENERS[name]) for name in ("ng", "nc", "---")] == ["E", "E", "E"]


def test_a_name_that_the_kernel_cut_is_compared_as_far_as_it_goes() -> None:
    """TASK_COMM_LEN leaves 15 characters: prometheus-node-exporter is prometheus-node in /proc."""
    entry = an_entry("line", "443/tcp", owner=a_condition("process=prometheus-node-exporter"))
    assert fit_of(entry, held(Owner(pid=5, comm="prometheus-node"))) == "A"
    assert fit_of(entry, held(Owner(pid=5, comm="prometheus"))) == "W"


def test_a_known_status_without_a_process_is_not_seen() -> None:
    entry = an_entry("line", "443/tcp", owner=a_condition("process=nginx"))
    assert fit_of(entry, a_listener(port=443, owner_status="known")) == "?"


HTTPS = an_entry("https", "443/tcp", owner=a_condition("process=nginx"))


def test_another_process_is_a_wrong_owner_with_expected_and_found() -> None:
    judgement = evaluate(a_host(), some_facts(LISTENERS["nc"]), a_policy_set(a_policy(HTTPS)), NOW)
    [finding] = judgement.findings
    assert (finding.rule, finding.severity, finding.subject) == ("wrong-owner", "high", "tcp 0.0.0.0:443")
    assert finding.message == "443/tcp is allowed for process nginx, found nc (/usr/bin/nc)"
    assert str(finding.origin) == "base.yaml:7"
    assert judgement.listeners[0].verdict == "unexpected"
    assert judge_host(judgement.findings, None, "low") == "violating"


@pytest.mark.parametrize("status", ["unprivileged", "not-collected", "unknown", "other-namespace"])
@pytest.mark.parametrize("default", ["deny", "warn", "ignore"])
def test_an_owner_that_is_not_seen_is_a_gap_and_never_a_pass(status: str, default: str) -> None:
    listener = a_listener(port=443, owner_status=status)
    policy = a_policy(HTTPS, default=default)
    judgement = evaluate(a_host(), some_facts(listener), a_policy_set(policy), NOW)
    [finding] = judgement.findings
    assert (finding.rule, finding.subject) == ("evidence-gap", "owners")
    assert finding.message.startswith("who holds tcp 0.0.0.0:443 is not seen (")
    assert finding.message.endswith("), and `https` (base.yaml:7) asks for it")
    assert judgement.listeners[0].verdict == "unknown"
    assert judge_host(judgement.findings, None, "low") == "incomplete"


def test_a_line_without_a_condition_makes_up_for_one_that_asks_too_much() -> None:
    open_to_all = an_entry("any-https", "443/tcp")
    judgement = evaluate(a_host(), some_facts(LISTENERS["---"]), a_policy_set(a_policy(HTTPS, open_to_all)), NOW)
    assert judgement.findings == ()
    assert judgement.listeners[0].verdict == "allowed"


def test_a_deny_that_asks_for_an_owner_who_is_not_seen_takes_the_pass_away() -> None:
    allow = an_entry("all", "1-65535/tcp")
    deny = an_entry("no-nc", "1-65535/tcp", action="deny", owner=a_condition("process=nc"))
    policies = a_policy_set(a_policy(allow, deny))
    assert [one.rule for one in evaluate(a_host(), some_facts(LISTENERS["nc"]), policies, NOW).findings] == [
        "forbidden-listener"
    ]
    assert evaluate(a_host(), some_facts(LISTENERS["ng"]), policies, NOW).findings == ()
    unseen = evaluate(a_host(), some_facts(LISTENERS["---"]), policies, NOW)
    assert [one.rule for one in unseen.findings] == ["evidence-gap"]
    assert unseen.listeners[0].verdict == "unknown"


def test_what_is_unexpected_anyway_is_found_whoever_holds_it() -> None:
    deny = an_entry("no-nc", "1-65535/tcp", action="deny", owner=a_condition("process=nc"))
    judgement = evaluate(a_host(), some_facts(LISTENERS["---"]), a_policy_set(a_policy(deny)), NOW)
    assert [one.rule for one in judgement.findings] == ["unexpected-listener"]


@pytest.mark.parametrize(
    ("fields", "allow", "waivers", "rules"),
    [
        ({}, (), (), ["unexpected-listener"]),
        ({"default": "warn"}, (), (), ["evidence-gap", "unexpected-listener"]),
        ({}, (), (a_waiver("w", "443/tcp"),), ["evidence-gap", "unexpected-listener"]),
        ({}, ("loopback",), (), ["evidence-gap", "exposed-listener"]),
    ],
)
def test_a_finding_that_weighs_less_or_is_waived_does_not_hide_what_a_deny_may_say(
    fields: dict[str, Any], allow: tuple[str, ...], waivers: tuple[Waiver, ...], rules: list[str]
) -> None:
    deny = an_entry("no-nc", "443/tcp", action="deny", owner=a_condition("process=nc"))
    lines = (an_entry("local", "443/tcp", bind=bind, severity="low") for bind in allow)
    policies = a_policy_set(a_policy(deny, *lines, waivers=waivers, **fields))
    judgement = evaluate(a_host(), some_facts(LISTENERS["---"]), policies, NOW)
    assert sorted(one.rule for one in judgement.findings) == rules
    assert (judge_host(judgement.findings, None, "low") == "compliant") is False


PYTHON = Owner(pid=1, comm="python3", exe="/usr/bin/python3.11")


@pytest.mark.parametrize(
    ("first", "condition", "rules"),
    [
        (PYTHON, "process=nginx", ["wrong-owner"]),
        (PYTHON, "owner=systemd", ["wrong-owner"]),
        (PYTHON, "process=nginx|python3", []),
        (SYSTEMD.model_copy(update={"exe": "/usr/lib/systemd/systemd (deleted)"}), "process=nginx", []),
        (SYSTEMD.model_copy(update={"exe": None}), "process=nginx", []),
        (SYSTEMD.model_copy(update={"exe": "/opt/evil"}), "process=nginx", ["wrong-owner"]),
        (SYSTEMD.model_copy(update={"exe": None, "comm": None}), "owner=systemd", ["evidence-gap"]),
        (SYSTEMD.model_copy(update={"pid": 9}), "owner=systemd", ["wrong-owner"]),
    ],
)
def test_process_1_is_set_aside_only_where_it_is_systemd(first: Owner, condition: str, rules: list[str]) -> None:
    policies = a_policy_set(a_policy(an_entry("web", "443/tcp", owner=a_condition(condition))))
    judgement = evaluate(a_host(), some_facts(held(first, NGINX)), policies, NOW)
    assert [one.rule for one in judgement.findings] == rules


@pytest.mark.parametrize("status", ["unprivileged", "other-namespace"])
@pytest.mark.parametrize(
    ("owner", "action", "condition", "rule"),
    [
        (NGINX, "allow", "process=nginx", "evidence-gap"),
        (NC, "allow", "process=nginx", "wrong-owner"),
        (NC, "allow", "owner=systemd", "evidence-gap"),
        (NGINX, "deny", "process=nc", "evidence-gap"),
        (NC, "deny", "process=nc", "forbidden-listener"),
    ],
)
def test_who_was_seen_counts_and_there_may_be_others(
    status: str, owner: Owner, action: str, condition: str, rule: str
) -> None:
    listener = a_held_listener(owners=(owner,), owner_status=status)
    entry = an_entry("web", "443/tcp", action=action, owner=a_condition(condition))
    judgement = evaluate(a_host(), some_facts(listener), a_policy_set(a_policy(entry, default="ignore")), NOW)
    assert [one.rule for one in judgement.findings] == [rule]


@pytest.mark.parametrize("action", ["allow", "deny"])
def test_the_sockets_of_each_user_are_judged(action: str) -> None:
    """Before, only the first one's user was looked at."""
    rows = (a_listener("0.0.0.0", 443, uid=0, user="root"), a_listener("0.0.0.0", 443, uid=65534, user="nobody"))
    asked = "user=root" if action == "allow" else "user=nobody"
    policy = a_policy(an_entry("x", "443/tcp", action=action, owner=a_condition(asked)), default="ignore")
    for twins in (rows, rows[::-1]):
        [finding] = evaluate(a_host(), some_facts(*twins), a_policy_set(policy), NOW).findings
        assert finding.rule == ("wrong-owner" if action == "allow" else "forbidden-listener")


@pytest.mark.parametrize(
    ("ports", "more", "rules"),
    [
        ("443/tcp", (), []),
        ("443/tcp6", (), []),
        ("443/tcp4", (), ["evidence-gap"]),
        ("443/tcp4", (a_listener("0.0.0.0", 443),), []),
    ],
)
@pytest.mark.parametrize("dual_stack", ["yes", "unknown"])
def test_required_over_ipv4_takes_more_than_the_ipv6_wildcard(
    dual_stack: str, ports: str, more: tuple[Listener, ...], rules: list[str]
) -> None:
    """With IPV6_V6ONLY, which no table shows, connections over IPv4 are refused there."""
    policies = a_policy_set(a_policy(an_entry("https", ports, required=True), an_entry("any", "443/tcp")))
    facts = some_facts(a_listener("::", 443, dual_stack=dual_stack), *more)
    findings = evaluate(a_host(), facts, policies, NOW).findings
    assert [one.rule for one in findings] == rules
    assert [
        one.message for one in findings if "whether tcp [::]:443 takes IPv4 too is not known" not in one.message
    ] == []


def required_https(**fields: Any) -> Any:
    entry = an_entry("https", "443/tcp", required=True, owner=a_condition("process=nginx"), **fields)
    return a_policy_set(a_policy(entry, an_entry("any-https", "443/tcp")))


@pytest.mark.parametrize(
    ("listener", "rules"),
    [("ng", []), ("nc", ["missing-listener"]), ("---", ["evidence-gap"])],
)
def test_a_required_service_is_there_when_the_right_one_holds_it(listener: str, rules: list[str]) -> None:
    """Another line allows the port for anybody, so nothing but the requirement speaks."""
    judgement = evaluate(a_host(), some_facts(LISTENERS[listener]), required_https(), NOW)
    assert [one.rule for one in judgement.findings] == rules
    if "missing-listener" in rules:
        assert judgement.findings[0].message == "nothing listens on 443/tcp by process nginx, and base requires it"


@pytest.mark.parametrize(("sockets", "rules"), [(1, ["missing-listener"]), (3, ["missing-listener"]), (4, []), (9, [])])
def test_at_least_counts_sockets(sockets: int, rules: list[str]) -> None:
    listener = LISTENERS["ng"].model_copy(update={"sockets": sockets})
    judgement = evaluate(a_host(), some_facts(listener), required_https(at_least=4), NOW)
    assert [one.rule for one in judgement.findings] == rules
    if rules:
        [finding] = judgement.findings
        assert finding.message.startswith(
            f"{sockets} of 4 sockets listen on 443/tcp by process nginx, and base requires"
        )


def test_sockets_of_unseen_owners_do_not_make_up_the_number_in_silence() -> None:
    seen = LISTENERS["ng"].model_copy(update={"sockets": 2})
    unseen = a_listener("::", 443, sockets=2)
    judgement = evaluate(a_host(), some_facts(seen, unseen), required_https(at_least=4), NOW)
    assert [one.rule for one in judgement.findings] == ["evidence-gap"]


NUMBER = "user 7999 has no name in what was read of the host's /etc/passwd"
NO_NUMBER = "the number of user postgres is not given"


@pytest.mark.parametrize("action", ["allow", "deny"])
@pytest.mark.parametrize("status", ["known", "unprivileged", "kernel", "unknown", "other-namespace"])
@pytest.mark.parametrize(
    ("asked", "uid", "user", "why"),
    [
        ("user=postgres", 7999, None, NUMBER),
        ("user=7999", None, "postgres", NO_NUMBER),
        ("user=postgres", None, None, "its user is not known"),
    ],
)
def test_a_user_that_cannot_be_compared_is_told_as_one(
    action: str, status: str, asked: str, uid: int | None, user: str | None, why: str
) -> None:
    """Whether the processes are seen has nothing to do with it, and root would not help."""
    listener = a_held_listener("postgres", uid=uid, user=user, owner_status=status)
    policy = a_policy(an_entry("pg", "443/tcp", action=action, owner=a_condition(asked)), default="ignore")
    [gap] = evaluate(a_host(), some_facts(listener), a_policy_set(policy), NOW).findings
    assert (gap.rule, gap.subject) == ("evidence-gap", "users")
    assert gap.message == (
        f"the user of tcp 0.0.0.0:443 cannot be compared ({why}), and `pg` (base.yaml:7) asks for it"
    )
    assert "root" not in gap.remediation
    explanation = explain_listener(a_host(), listener, a_policy_set(policy), NOW)
    assert explanation.lines[0].reasons[-1].words.endswith(f", and its user cannot be compared ({why})")


def test_without_a_name_and_without_processes_both_are_told() -> None:
    entry = an_entry("pg", "443/tcp", owner=a_condition("process=postgres+user=postgres"))
    listener = a_listener(port=443, uid=7999, owner_status="unprivileged")
    judgement = evaluate(a_host(), some_facts(listener), a_policy_set(a_policy(entry)), NOW)
    assert [(gap.subject, gap.message.partition(", and ")[0]) for gap in judgement.findings] == [
        ("owners", "who holds tcp 0.0.0.0:443 is not seen (it was read without root)"),
        ("users", f"the user of tcp 0.0.0.0:443 cannot be compared ({NUMBER})"),
    ]


def test_names_of_users_come_with_the_owners_so_without_those_that_is_why() -> None:
    entry = an_entry("pg", "443/tcp", owner=a_condition("user=postgres"))
    policies = a_policy_set(a_policy(entry))
    [gap] = evaluate(a_host(), some_facts(a_listener(port=443, uid=7999)), policies, NOW).findings
    assert gap.message.startswith("who holds tcp 0.0.0.0:443 is not seen (owners were not collected), and ")
