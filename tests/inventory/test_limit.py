"""Limits: the expected hosts were printed by `ansible PATTERN --list-hosts` (core 2.19.14) for the same groups."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import NoHostsError, UsageError
from auditor.inventory import limit_hosts
from auditor.model.host import Inventory
from tests.builders import a_host

FLEET = Inventory(
    path="inventory.yaml",
    sha256="0" * 64,
    hosts=(
        a_host("bastion", groups=("alone",)),
        a_host("db-01", groups=("db", "prod"), labels={"env": "prod", "site": "fra1"}),
        a_host("db-02", groups=("db",), labels={"env": "stage"}),
        a_host("web-01", groups=("web", "prod"), labels={"env": "prod"}),
        a_host("web-02", groups=("web", "prod", "lab")),
        a_host("web-03", groups=("web",)),
        a_host("[::1]"),
    ),
)


def names_of(inventory: Inventory) -> str:
    return " ".join(host.name for host in inventory.hosts if host.name != "[::1]")


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", "bastion db-01 db-02 web-01 web-02 web-03"),
        ("*", "bastion db-01 db-02 web-01 web-02 web-03"),
        ("web", "web-01 web-02 web-03"),
        ("web:db", "db-01 db-02 web-01 web-02 web-03"),
        ("web,db", "db-01 db-02 web-01 web-02 web-03"),
        ("web:&prod", "web-01 web-02"),
        ("web:&prod:!lab", "web-01"),
        ("!lab:web:&prod", "web-01"),
        ("!lab", "bastion db-01 db-02 web-01 web-03"),
        ("&prod", "db-01 web-01 web-02"),
        ("web-0*", "web-01 web-02 web-03"),
        ("*-01", "db-01 web-01"),
        ("~web-0[23]", "web-02 web-03"),
        ("~.*-01$", "db-01 web-01"),
        ("~(web|db)-01", "db-01 web-01"),
        ("web:!web-02", "web-01 web-03"),
        ("bastion", "bastion"),
        ("!web:!db", "bastion"),
        ("db,web-01", "db-01 db-02 web-01"),
        ("w?b", "web-01 web-02 web-03"),
    ],
)
def test_a_limit_selects_what_ansible_selects(pattern: str, hosts: str) -> None:
    assert names_of(limit_hosts(FLEET, pattern)) == hosts


def test_several_limits_are_one_with_all_their_terms() -> None:
    assert names_of(limit_hosts(FLEET, "db:!db-02", "web-01", "bastion")) == "bastion db-01 web-01"
    with pytest.raises(NoHostsError, match=r"'web,&db'"):
        limit_hosts(FLEET, "web", "&db")


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("env=prod", "db-01 web-01"),
        ("env=*", "db-01 db-02 web-01"),
        ("db:!env=prod", "db-02"),
        ("env=prod:&site=fra?", "db-01"),
        (" web , db-01 ", "db-01 web-01 web-02 web-03"),
        ("~(?:web|db)-02:&lab", "web-02"),
    ],
)
def test_labels_select_too(pattern: str, hosts: str) -> None:
    assert names_of(limit_hosts(FLEET, pattern)) == hosts


def test_a_host_named_by_its_address_can_be_selected() -> None:
    assert [host.name for host in limit_hosts(FLEET, "[::1]").hosts] == ["[::1]"]
    assert [host.name for host in limit_hosts(FLEET, "bastion,[::1]").hosts] == ["bastion", "[::1]"]


def test_the_rest_stays_known_for_jumping() -> None:
    limited = limit_hosts(FLEET, "web")
    assert {host.name for host in (*limited.hosts, *limited.others)} == {host.name for host in FLEET.hosts}
    again = limit_hosts(limited, "web-01")
    assert len(again.others) == 6


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("wbe", "no host or group matches 'wbe'", "did you mean 'web'?"),
        ("web:&prd", "no host or group matches 'prd'", "did you mean 'prod'?"),
        ("env=prdo", "no host or group matches 'env=prdo'", "did you mean 'env=prod'?"),
        ("zzz:yyy", "no host or group matches 'zzz', 'yyy'", "groups here: alone, db, lab, prod, web"),
        ("db:&lab", "no host is left by the limit 'db:&lab'", "each of its terms matches, but not together"),
        ("!all", "no host is left by the limit '!all'", "each of its terms matches, but not together"),
        ("WEB", "no host or group matches 'WEB'", "groups here:"),
    ],
)
def test_a_limit_that_selects_nothing_says_which_term(pattern: str, message: str, hint: str) -> None:
    with pytest.raises(NoHostsError) as caught:
        limit_hosts(FLEET, pattern)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_an_empty_inventory_is_said_to_be_empty() -> None:
    with pytest.raises(NoHostsError, match="has no hosts"):
        limit_hosts(FLEET.model_copy(update={"hosts": ()}), "all")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "the limit is empty"),
        (" : ", "the limit is empty"),
        ("web:&", "nothing stands after '&'"),
        ("~(", "the regular expression '(' cannot be read"),
        ("~(a+)+b", "the regular expression '(a+)+b' could take too long"),
        (r"~(a)\1", "could take too long"),
        ("~a*a*a*a*b", "could take too long"),
        ("~a?a?a?a?aaaa", "could take too long"),
        ("x" * 1001, "the limit is longer than 1000 characters"),
    ],
)
def test_a_limit_that_cannot_be_read_is_an_error_of_usage(pattern: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        limit_hosts(FLEET, pattern)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("pattern", ["web-01,web-77", "web,no-such-group", "all,env=nowhere", "web:&nothing", "~x,db"])
def test_hosts_that_are_not_there_do_not_pass_for_audited(pattern: str) -> None:
    with pytest.raises(NoHostsError, match="no host or group matches"):
        limit_hosts(FLEET, pattern)
    limit_hosts(FLEET, pattern, allow_empty=True)


def test_what_is_taken_out_need_not_be_there() -> None:
    assert names_of(limit_hosts(FLEET, "bastion,!no-such-group")) == "bastion"


def test_a_regular_expression_cannot_hang_the_run() -> None:
    """The worst expression that is let through, on the longest name there can be."""
    fleet = Inventory(path="i", sha256="0" * 64, hosts=(a_host("a" * 253), a_host("b")))
    began = time.monotonic()
    assert [host.name for host in limit_hosts(fleet, "~.*.*.*c,b", allow_empty=True).hosts] == ["b"]
    assert time.monotonic() - began < 30


@given(st.text("web:,!&~*?[]()+=-01db ", max_size=15))
def test_any_limit_selects_or_is_refused(pattern: str) -> None:
    try:
        limited = limit_hosts(FLEET, pattern)
    except (NoHostsError, UsageError):
        return
    assert limited.hosts
    assert len(limited.hosts) + len(limited.others) == len(FLEET.hosts)


def test_the_path_is_kept(tmp_path: Path) -> None:
    assert limit_hosts(FLEET, "web").path == FLEET.path
