"""Hosts that gave nothing, by reason: one group for one cause, whatever differs from host to host."""

from collections.abc import Sequence

from auditor.errors import Phase
from auditor.model.report import HostReport
from auditor.model.transcript import Failure
from auditor.reporters.failures import MOST_GROUPS, FailureGroup, group_failures
from auditor.reporters.markdown import render
from tests.reporters.fleet import a_calm_host, a_lost_host, a_report


def lost(name: str, phase: Phase, code: str, message: str, hint: str = "", address: str = "") -> HostReport:
    failure = Failure(phase=phase, code=code, message=message, hint=hint)
    return a_lost_host(name, error=failure, address=address or f"{name}.example.com")


def unknown_key(number: int) -> HostReport:
    """Return a host as the ssh transport reports an unknown key: its address in both sentences, and a fingerprint."""
    address = f"10.0.0.{number}"
    shown = f"ssh-ed25519 SHA256:{number:02d}9/9LZQJ3sTTWzWmWN8OcbA6iW4jFOmMSBMjPKzRyo"
    hint = f"compare with `ssh-keygen -lf FILE`, then `ssh-keyscan -p 22 -t ed25519 {address} >> ~/.ssh/known_hosts`"
    return lost(f"db-{number}", "hostkey", "hostkey-unknown", f"no known key for {address}:22: it shows {shown}", hint,
                address)  # fmt: skip


def group(*hosts: HostReport) -> list[FailureGroup]:
    return group_failures(a_report(*hosts))


def sizes(groups: Sequence[FailureGroup]) -> list[tuple[str, int]]:
    return [(one.code, len(one.hosts)) for one in groups]


def test_what_only_one_host_has_is_put_in_general_words() -> None:
    [one] = group(*(unknown_key(number) for number in range(1, 15)))
    assert len(one.hosts) == 14
    assert one.message == "no known key for HOST:22: it shows ssh-ed25519 SHA256:…"
    assert one.hint.endswith("`ssh-keyscan -p 22 -t ed25519 HOST >> ~/.ssh/known_hosts`")


def test_a_host_alone_keeps_its_own_words() -> None:
    host = unknown_key(7)
    [one] = group(host, a_calm_host("web-01"))
    assert host.error is not None
    assert (one.message, one.hint) == (host.error.message, host.error.hint)


def test_one_word_of_all_stays_as_it_is() -> None:
    """The bastion's address is the same for all behind it, and worth seeing."""
    message = "the jump host bastion failed: 10.9.9.9:22: Connection refused (tcp-refused)"
    [one] = group(*(lost(f"web-{number}", "tcp", "jump-failed", message) for number in range(5)))
    assert one.message == message


def test_addresses_of_a_name_are_one_cause() -> None:
    one = lost("a", "tcp", "tcp-refused", "10.0.0.1:22: Connection refused; [fe80::1]:22: Connection refused")
    other = lost("b", "tcp", "tcp-refused", "192.0.2.7:22: Connection refused")
    [both] = group(one, other)
    assert both.message == "ADDRESS:22: Connection refused"


def test_a_name_inside_another_word_is_no_name() -> None:
    hosts = [lost(name, "auth", "auth-refused", f"the server refused audit on {name}") for name in ("a", "audit-1")]
    assert [one.message for one in group(*hosts)] == ["the server refused audit on HOST"]


def test_somebody_elses_key_comes_first_then_the_largest_and_the_interrupted_last() -> None:
    hosts = [
        *(lost(f"i{n}", "read", "interrupted", "the run was interrupted") for n in range(9)),
        *(lost(f"t{n}", "tcp", "tcp-timeout", "no answer within 10 s") for n in range(3)),
        *(lost(f"a{n}", "auth", "auth-refused", "refused") for n in range(5)),
        lost("evil", "hostkey", "hostkey-mismatch", "the host key changed"),
    ]
    expected = [("hostkey-mismatch", 1), ("auth-refused", 5), ("tcp-timeout", 3), ("interrupted", 9)]
    assert sizes(group(*hosts)) == expected


def test_a_thousand_reasons_are_not_a_thousand_lines() -> None:
    """A hostile fleet can say something new for every host: nobody is lost, and the list stays short."""
    hosts = [lost(f"h{n:04d}", "banner", "not-ssh", f"it says: word{n:04d}x") for n in range(1000)]
    groups = group(*hosts, *(lost(f"r{n}", "tcp", "tcp-refused", "refused") for n in range(2)))
    assert len(groups) == MOST_GROUPS + 1
    assert sum(len(one.hosts) for one in groups) == 1002
    assert groups[0].code == "tcp-refused"
    assert groups[-1].message.startswith("each host has a reason of its own")


def test_markdown_has_a_row_for_each_reason() -> None:
    text = render(a_report(*(unknown_key(number) for number in range(1, 15)))).decode()
    rows = [line for line in text.splitlines() if "hostkey-unknown" in line and line.startswith("|")]
    assert len(rows) == 1
    assert "and 6 more" in rows[0]
