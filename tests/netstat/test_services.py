"""Well-known services by name and by port, and hosts whose own tables differ; the C library has the last word."""

from hypothesis import given
from hypothesis import strategies as st

from auditor.model.services import Service, ServiceTable
from auditor.netstat.services import (
    Difference,
    Question,
    compare_tables,
    find_services,
    parse_question,
    say_difference,
    show_services,
)
from tests.netstat.nettools import run_over
from tests.requirements import require

TRUSTED = ServiceTable.parse(
    "http 80/tcp www\nhttps 443/tcp\nhttps 443/udp\npostgresql 5432/tcp postgres\ndomain 53/tcp\ndomain 53/udp\n"
)
ODD = "https 4444/tcp\nhttps 443/udp\nwebcache 80/tcp web\npostgres 5432/tcp\nbackdoor 31337/tcp\ndomain 53/tcp\n"


def compare(text: str, question: str | None) -> list[tuple[str, ...]]:
    asked = parse_question(question)
    assert asked is not None
    return [tuple(one) for one in compare_tables(TRUSTED, ServiceTable.parse(text), asked)]


def test_questions() -> None:
    assert parse_question("https") == Question("https")
    assert parse_question("53/udp") == Question(port=53, proto="udp")
    assert parse_question("domain/tcp") == Question("domain", proto="tcp")
    assert parse_question(None) == Question()
    for nonsense in ("", "/tcp", "0", "65536", "443/", "443/TCP", "a/b/c", "٤٤٣/٤"):
        assert parse_question(nonsense) is None, nonsense


def test_names_aliases_ports_and_protocols_are_found() -> None:
    def find(name: str | None = None, port: int | None = None, proto: str | None = None) -> list[tuple[str, int, str]]:
        return [(one.name, one.port, one.proto) for one in find_services(TRUSTED, Question(name, port, proto))]

    assert find("www") == [("http", 80, "tcp")]
    assert find(port=443) == [("https", 443, "tcp"), ("https", 443, "udp")]
    assert find(port=443, proto="udp") == [("https", 443, "udp")]
    assert find("HTTP") == []
    assert [port for _, port, _ in find()] == [53, 53, 80, 443, 443, 5432]


def test_a_name_on_another_port_is_told_from_either_end() -> None:
    expected = ("elsewhere", "https/tcp", "443", "4444")
    assert expected in compare(ODD, "https")
    assert expected in compare(ODD, "443/tcp")
    assert expected in compare(ODD, "4444")
    assert expected in compare(ODD, None)
    assert compare(ODD, "443/udp") == []


def test_a_port_with_another_name_is_told_and_an_alias_is_no_other_name() -> None:
    assert compare(ODD, "80/tcp") == [("other-name", "80/tcp", "http", "webcache")]
    assert compare(ODD, "http") == [("other-name", "80/tcp", "http", "webcache"), ("unnamed", "80/tcp", "http", "")]
    assert compare(ODD, "postgresql") == [("unnamed", "5432/tcp", "postgresql", "")]
    assert compare(ODD, "5432") == []


def test_what_only_one_side_knows_is_told_where_it_was_asked_for() -> None:
    assert compare(ODD, "31337") == [("only-there", "31337/tcp", "", "backdoor")]
    assert compare(ODD, "53/udp") == [("unnamed", "53/udp", "domain", "")]
    assert [one for one in compare(ODD, None) if one[0] in {"unnamed", "only-there"}] == []


def test_the_c_library_reads_the_odd_table_alike() -> None:
    require("root", "namespaces", "getent")
    for question, answer in (("https/tcp", "https 4444/tcp"), ("80/tcp", "webcache 80/tcp web")):
        printed = run_over({"etc/services": ODD.encode(), "proc/x": b""}, "getent", "services", question)
        assert " ".join(printed.split()) == answer


names = st.sampled_from(["http", "https", "www", "web", "x"])
tables = st.lists(
    st.builds(
        Service,
        name=names,
        port=st.integers(1, 4),
        proto=st.sampled_from(["tcp", "udp"]),
        aliases=st.lists(names, max_size=2).map(tuple),
    ),
    max_size=8,
).map(lambda services: ServiceTable(services=tuple(services)))
questions = st.one_of(st.just(Question()), st.builds(Question, name=names), st.builds(Question, port=st.integers(1, 4)))


@given(tables, questions)
def test_a_table_agrees_with_itself(table: ServiceTable, question: Question) -> None:
    assert compare_tables(table, table, question) == []


@given(tables, tables, questions)
def test_what_one_question_shows_everything_shows(one: ServiceTable, other: ServiceTable, question: Question) -> None:
    everything = set(compare_tables(one, other, Question()))
    some = compare_tables(one, other, question)
    assert {each for each in some if each.verdict in {"elsewhere", "other-name"}} <= everything
    assert len(set(some)) == len(some)


def test_lines_for_people_are_columns_and_name_the_first_hosts() -> None:
    assigned = frozenset(TRUSTED.services[:1])
    lines = show_services(TRUSTED.services[:2], assigned)
    assert lines == [
        "Name   Port     Aliases  Assigned by",
        "http   80/tcp   www      IANA",
        "https  443/tcp           custom",
    ]
    hosts = [f"web-{number}" for number in range(10)]
    said = say_difference(Difference("elsewhere", "https/tcp", "443", "4444"), hosts, 12)
    assert said.startswith("https/tcp is 4444 there, and 443 in the trusted table: 10 of 12 (web-0, ")
    assert said.endswith("web-7 and 2 more)")
    assert "\\x1b" in say_difference(Difference("only-there", "1/tcp", "", "a\x1b[31m"), hosts[:1], 1)
