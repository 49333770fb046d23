"""Filters: what they mean is what ss answers on each of ten hosts; what is wrong with them is said at its column."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from auditor.cli import app
from auditor.errors import DocumentError
from auditor.model.connections import Connection
from auditor.model.names import Names
from auditor.netstat.where import Subject, Where, parse_where
from tests.lab.init import Machine
from tests.lab.namespace import LabHost
from tests.lab.sockets import Wanted
from tests.netstat.host import ask, busy_host, run_all
from tests.netstat.record import save
from tests.requirements import require

HOSTS = 9  # and the busy one
QUESTIONS = (
    ("state established", "state established", ""),
    ("state listening", "state listening", ""),
    ("state time-wait", "state time-wait", ""),
    ("state close-wait or state fin-wait-2", "state close-wait state fin-wait-2", ""),
    ("state connected", "state connected", ""),
    ("state synchronized", "state synchronized", ""),
    ("state bucket", "state bucket", ""),
    ("state CLOSE_WAIT", "state close-wait", ""),
    ("state unconnected", "state unconnected", ""),
    ("dst 127.0.0.9:5432", "", "dst 127.0.0.9:5432"),
    ("dst 127.0.0.9 and dport = :5432", "", "dst 127.0.0.9 and dport = :5432"),
    ("dport = :5432 or sport = :5432", "", "dport = :5432 or sport = :5432"),
    ("port 5432", "", "dport = :5432 or sport = :5432"),
    ("sport = :https", "", "sport = :https"),
    ("sport eq 443", "", "sport eq :443"),
    ("dst 127.0.0.0/8 and not sport = :8081", "", "dst 127.0.0.0/8 and not sport = :8081"),
    ("dst 127.0.0.0/8", "", "dst 127.0.0.0/8"),
    ("not dst 127.0.0.0/8", "", "not dst 127.0.0.0/8"),
    ("dst != 127.0.0.0/8", "", "not dst 127.0.0.0/8"),
    ("(sport = :443 || sport = :8081) && state established", "state established", "( sport = :443 or sport = :8081 )"),
    ("sport = :443 or sport = :8081 and dst [::1]", "", "sport = :443 or ( sport = :8081 and dst [::1] )"),
    ("sport > :40000", "", "sport gt :40000"),
    ("sport >= :443 dport lt :6000 dport > 0", "", "sport ge :443 and dport lt :6000 and dport gt :0"),
    ("src [::1]", "", "src [::1]"),
    ("src ::1/128", "", "src [::1/128]"),
    ("src [::1/128]:8081", "", "src [::1/128]:8081"),
    ("src 10.99.0.1 and dst 10.99.0.1", "", "src 10.99.0.1 and dst 10.99.0.1"),
    ("dst [2001:db8::]/32", "", "dst [2001:db8::/32]"),
    (
        "! ( dport = :443 or dport = :5432 ) and state established",
        "state established",
        "! ( dport = :443 or dport = :5432 )",
    ),
    ("src *:443", "", "src *:443"),
    ("src :443", "", "src :443"),
)
Row = tuple[str, str, int, str, int]


class Fleet(NamedTuple):
    """Ten hosts: what netaudit read there, and what ss answered to each question at the same moment."""

    evidence: Path
    answers: dict[str, list[Counter[Row]]]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require("root", "namespaces", "ip", "nsenter", "ss", "netstat")
    folder = tmp_path_factory.mktemp("where")
    commands = [
        ["ss", "-Hntu", *([] if states else ["-a"]), *states.split(), *([filters] if filters else [])]
        for _, states, filters in QUESTIONS
    ]
    read, answers = {}, {}
    with ExitStack() as stack:
        hosts = {f"host-{number}": stack.enter_context(_start(number)) for number in range(1, HOSTS + 1)}
        busy = {"busy": stack.enter_context(busy_host(folder))}  # last: some of its states end within a minute
        for name, lab in (busy | hosts).items():
            read[name] = ask(lab, folder)
            answers[name] = [Counter(map(_ss_row, lines)) for lines in run_all(lab, commands)]
        yield Fleet(save(folder / "evidence.jsonl.gz", read), answers)


@pytest.fixture(scope="module")
def evidence(fleet: Fleet) -> Path:
    return fleet.evidence


def _start(number: int) -> LabHost:
    sockets = (
        Wanted("tcp", "127.0.0.9", 5432, accept=True),
        Wanted("tcp", "::1", 8081, accept=True),
        Wanted("udp", "127.0.0.1", 443),
        *(Wanted("tcp", "127.0.0.1", peer=("127.0.0.9", 5432)) for _ in range(number % 3)),
        *(Wanted("tcp", "::1", peer=("::1", 8081)) for _ in range(number // 4)),
        *(Wanted("udp", "127.0.0.1", 9000 + n, peer=("127.0.0.1", 443)) for n in range(number % 2)),
    )
    return LabHost(Machine(hostname=f"host-{number}", sockets=sockets)).start()


def query(evidence: Path, where: str, *flags: str) -> dict[str, Counter[Row]]:
    """Return the rows that netaudit finds on each host."""
    import json

    done = CliRunner().invoke(app, ["netstat", str(evidence), "-tu", "--json", "--where", where, *flags])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    return {host["name"]: Counter(map(_our_row, host["connections"])) for host in answer["hosts"]}


def _our_row(row: dict[str, Any]) -> Row:
    proto = row["proto"].removesuffix("6")
    return proto, row["local_address"], row["local_port"], row["remote_address"], row["remote_port"]


def _ss_row(line: str) -> Row:
    """Where only one state is asked for, ss leaves out the column of the state."""
    proto, *words = line.split()
    local, remote = words[2:4] if words[0].isdecimal() else words[3:5]
    return proto, *_ss_place(local), *_ss_place(remote)


def _ss_place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]").partition("%")[0]
    if ":" in host and (mapped := IPv6Address(host).ipv4_mapped) is not None:
        host = str(mapped)
    return host, 0 if port == "*" else int(port)


def _same_wildcards(rows: Counter[Row]) -> Counter[Row]:
    """Return rows with one name for every wildcard: ss writes `*` for a dual-stack one."""
    any_of = {"0.0.0.0": "*", "::": "*"}
    return Counter(
        {
            (proto, any_of.get(near, near), port, any_of.get(far, far), other): count
            for (proto, near, port, far, other), count in rows.items()
        }
    )


@pytest.mark.parametrize("number", range(len(QUESTIONS)), ids=[question[0] for question in QUESTIONS])
def test_every_answer_is_that_of_ss_on_each_host(fleet: Fleet, number: int) -> None:
    found = query(fleet.evidence, QUESTIONS[number][0])
    assert len(found) == HOSTS + 1
    assert found.keys() == fleet.answers.keys()
    for name, answers in fleet.answers.items():
        assert _same_wildcards(found[name]) == _same_wildcards(answers[number]), name
    assert any(found.values())


def test_one_line_says_who_talks_to_the_database(evidence: Path) -> None:
    done = CliRunner().invoke(app, ["netstat", str(evidence), "-n", "--where", "dst 127.0.0.9:5432"])
    lines = done.stdout.splitlines()
    assert lines[0] == "Active Internet connections (servers and established)"
    assert lines[1].startswith("Host   Proto Recv-Q Send-Q Local Address ")
    assert [line.split()[0] for line in lines[2:]] == [f"host-{n}" for n in range(1, 10) for _ in range(n % 3)]
    assert all(line.split()[5] == "127.0.0.9:5432" for line in lines[2:])


def test_processes_users_and_hosts(evidence: Path) -> None:
    assert query(evidence, "process python and host host-1") == query(evidence, "host host-1 and user root")
    assert not any(query(evidence, "process nginx").values())
    rows = query(evidence, "host HOST-* and not host host-[2-9]")
    assert rows["host-1"]
    assert not any(rows[name] for name in rows if name != "host-1")
    assert query(evidence, "user 0") == query(evidence, "user r*t")
    assert sum(query(evidence, "recv-q > 0")["busy"].values()) == 3  # three wait to be accepted, a FIN, unread bytes


SERVICES = {"https": frozenset({443}), "two": frozenset({1, 2})}


def parse(text: str) -> Where:
    return parse_where(text, lambda name: SERVICES.get(name, frozenset()))


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("state listning", 7, "unknown state 'listning'", "did you mean listening?"),
        ("sport = :htps", 9, "unknown service 'htps'", "write the number of the port, as in :443"),
        ("dst db-01", 5, "'db-01' is no address", "names are not looked up"),
        ("dst 10.0.0.0/33", 5, "'10.0.0.0/33' is no address", ""),
        ("(state all", 1, "this `(` is never closed", ""),
        ("state all )", 11, "nothing is open here", ""),
        ("state all and", 14, "expected a test", ""),
        ("", 1, "expected a test", ""),
        ("()", 2, "expected a test", ""),
        ("sport <", 8, "`sport` needs a value", ""),
        ('process "nginx: m', 9, "a lonely quote", ""),
        ("process > nginx", 9, "`>` compares numbers", "use = or != here"),
        ("sport = 65536", 9, "65536 is no port", ""),
        ("sport = 9-3", 9, "9-3 is no range of ports", ""),
        ("sport < :two", 9, ":two is several ports", ""),
        ("staet all", 1, "unknown word 'staet'", "did you mean state?"),
        ("nothing 1", 1, "unknown word 'nothing'", "the words are state,"),
        ("pid x", 5, "'x' is no number", ""),
        ("proto tpc", 7, "unknown protocol 'tpc'", "did you mean tcp?"),
        ("(" * 60 + "state all", 52, "more than 50 levels deep", ""),
        ("x" * 5000, 1, "a filter has at most 4096 characters", ""),
    ],
)
def test_a_mistake_is_shown_at_its_column(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("--where", 1, column)
    assert message in problem.message
    assert hint in problem.hint


WORDS_AND_SIGNS = ["state", "all", "(", ")", "and", "or", "not", "!", "sport", "=", ":443", "dst", "::1", "<", '"']


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS_AND_SIGNS)).map(" ".join))
def test_any_text_is_a_filter_or_a_mistake(text: str) -> None:
    columns = [0]
    try:
        assert parse(text).matches(a_subject()) in {True, False}
    except DocumentError as error:
        columns = [problem.column for problem in error.problems]
    assert all(0 <= column <= len(text) + 1 for column in columns)


TESTS = ("sport = :443", "dport = :9", "state established", "dst 10.0.0.0/8", "host web", "recv-q > 5", "proto tcp")
_truths = st.sampled_from(TESTS)


@given(_truths, _truths, _truths, st.integers(0, 1), st.integers(0, 1))
def test_words_bind_as_in_every_language(a: str, b: str, c: str, port: int, queue: int) -> None:
    """`not` binds closer than `and`, which binds closer than `or`; what stands side by side is joined by `and`."""
    subject = a_subject(port=443 if port else 80, queue=6 if queue else 0)

    def holds(text: str) -> bool:
        return parse(text).matches(subject)

    x, y, z = holds(a), holds(b), holds(c)
    assert holds(f"{a} or {b} and {c}") == (x or (y and z))
    assert holds(f"({a} or {b}) and {c}") == ((x or y) and z)
    assert holds(f"not {a} and {b}") == ((not x) and y)
    assert holds(f"!({a} | {b}) {c}") == ((not (x or y)) and z)
    assert holds(f"{a} {b} || {c}") == ((x and y) or z)


def a_subject(port: int = 443, queue: int = 0) -> Subject:
    here, there = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
    row = Connection("tcp", here, port, there, 9, 1, queue, 0, 0, 0, 0, 0, 1000, 7)
    return Subject("web", row, Names())


def test_the_documented_words_are_those_there_are() -> None:
    from auditor.netstat.words import WORDS

    text = (Path(__file__).parents[2] / "docs" / "netstat.md").read_text()
    table = re.findall(
        r"^\| `([a-z-]+)(?:`[^|]*)? \|", text.partition("## Filters")[2].partition("\n## ")[0], re.MULTILINE
    )
    assert set(table) == set(WORDS)
