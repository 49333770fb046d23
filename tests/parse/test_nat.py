"""What firewalls and IPVS lead elsewhere: rules as the tools print them, and text that no tool prints.

Rules that real tools printed are in test_apart.py; the excerpts here are what Docker and Kubernetes leave on a host.
"""

from hypothesis import given
from hypothesis import strategies as st

from auditor.model.facts import Exposure
from auditor.model.snapshot import Section
from auditor.parse.ip_vs import parse_ip_vs
from auditor.parse.nat import parse_nat, sort_exposures
from auditor.parse.rules import MAX_EXPOSURES
from tests.parse.snapshots import coverage_of, parse

KUBERNETES = b"""\
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 \
-j KUBE-SVC-TCOU7JCQXEZGVUNU
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB -m statistic --mode random --probability 0.5 -j KUBE-SEP-A
-A KUBE-SVC-WEB -j KUBE-SEP-B
-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.244.1.5:80
-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.244.2.6:80
-A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-DNS
-A KUBE-SEP-DNS -s 10.244.0.3/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-DNS -p udp -m udp -j DNAT --to-destination 10.244.0.3:53
"""
IP_VS = b"""\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A000001:0050 rr
  -> AC110002:1F90      Masq    1      0          0
  -> AC110003:1F90      Masq    1      0          0
UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 wlc persistent 300
FWM  0000000A rr
"""


def exposures_of(data: bytes) -> list[tuple[str, str | None, int | None, str]]:
    return [(one.proto, one.address, one.port, one.target) for one in of_nat(data)]


def of_nat(data: bytes) -> tuple[Exposure, ...]:
    return sort_exposures(parse_nat(Section(name="nat", status="ok", data=data))[1])


def said(tool: bytes, text: bytes, status: int = 0) -> bytes:
    return b"+ begin %b\n%b+ end %d\n" % (tool, text, status)


def test_a_node_port_is_found_through_every_chain_on_the_way() -> None:
    assert exposures_of(said(b"iptables-nft-save", KUBERNETES)) == [
        ("tcp", None, 30080, "10.244.1.5:80, 10.244.2.6:80"),
        ("udp", "10.96.0.10", 53, "10.244.0.3:53"),
    ]


def test_chains_that_jump_in_a_circle_end() -> None:
    loop = b"-A PREROUTING -j A\n-A A -j B\n-A B -j A\n-A B -j B\n"
    loop += b"-A B -p tcp --dport 1 -j DNAT --to-destination 10.0.0.1\n"
    assert exposures_of(said(b"iptables-save", loop)) == [("tcp", None, 1, "10.0.0.1")]


def test_a_rule_that_no_start_leads_to_is_shown_by_itself() -> None:
    rule = b"-A OUTPUT -p tcp -m tcp --dport 5 -j REDIRECT\n"
    assert exposures_of(said(b"iptables-save", rule)) == [("tcp", None, 5, "this host")]


def test_a_negation_is_not_taken_for_what_it_denies() -> None:
    rule = b"-A PREROUTING ! -d 10.0.0.1/32 -p tcp -m tcp ! --dport 22 -j DNAT --to-destination 10.0.0.2\n"
    assert exposures_of(said(b"iptables-save", rule)) == [("tcp", None, None, "10.0.0.2")]


def test_more_rules_than_are_followed_are_cut_and_noted() -> None:
    rules = b"".join(
        b"-A PREROUTING -p tcp -m tcp --dport %d -j DNAT --to-destination 10.0.0.1\n" % port for port in range(1, 3000)
    )
    table, found = parse_nat(Section(name="nat", status="ok", data=said(b"iptables-save", rules)))
    assert (table.status, len(found)) == ("truncated", MAX_EXPOSURES)


def test_what_cannot_be_read_of_a_firewall_is_a_note_and_no_gap() -> None:
    for replaced in (
        ("absent", b""),
        ("error", b""),
        b"",
        said(b"nft", b"", 1),
        said(b"nft", b"+ more\n"),
        b"+ begin nft\n",
    ):
        facts = parse(nat=replaced)
        assert facts.gaps == ()
        assert facts.exposures == ()
    assert coverage_of(parse(nat=said(b"nft", b"", 1)), "nat").status == "truncated"
    assert coverage_of(parse(nat=b""), "nat").status == "empty"
    assert coverage_of(parse(nat=("absent", b"")), "nat").status == "absent"


def test_ip_vs_reads_the_same_in_either_byte_order() -> None:
    for order in (b"little\n", b"big\n"):
        found = parse(ip_vs=IP_VS, cpu_byteorder=order).exposures
        assert [(one.proto, one.address, one.port, one.target) for one in found] == [
            ("any", None, None, ""),
            ("tcp", "10.0.0.1", 80, "172.17.0.2:8080, 172.17.0.3:8080"),
            ("udp", "2001:db8::1", 53, ""),
        ]


def test_an_ip_vs_row_that_no_kernel_prints_is_a_gap() -> None:
    for bad in (b"TCP  0A00001:0050 rr\n", b"  -> 10.0.0.1:80 Masq\n", b"\xff\n", b"TCP  [::g]:0050 rr\n"):
        assert [gap.source for gap in parse(ip_vs=IP_VS + bad).gaps] == ["ip_vs"]
    assert [gap.source for gap in parse(ip_vs=IP_VS[44:]).gaps] == ["ip_vs"]


WORDS = st.sampled_from(
    [
        *(
            b"+ begin nft\n",
            b"+ begin iptables-save\n",
            b"+ end 0\n",
            b"table ip x {\n",
            b"chain a {\n",
            b"-A PREROUTING ",
        ),
        *(
            b"type nat hook prerouting\n",
            b"tcp dport { 1, 2-3 } ",
            b"dnat to ",
            b"jump a\n",
            b"map { 1 : jump a, 2 : b }\n",
        ),
        *(
            b"-j DNAT ",
            b"--to-destination ",
            b"--dport 1:",
            b"! ",
            b'"',
            b"\n",
            b" ",
            b"vmap ",
            b"-j PREROUTING\n",
            b"redirect",
        ),
    ]
) | st.binary(max_size=6)


@given(st.lists(WORDS, max_size=40).map(b"".join))
def test_any_text_of_a_firewall_is_read_without_an_exception(text: bytes) -> None:
    facts = parse(nat=text)
    assert facts.gaps == ()
    assert facts == type(facts).model_validate_json(facts.model_dump_json())


@given(st.lists(st.sampled_from(IP_VS.splitlines(keepends=True)) | st.binary(max_size=30), max_size=10).map(b"".join))
def test_any_text_of_ip_vs_is_read_without_an_exception(text: bytes) -> None:
    table, found = parse_ip_vs(Section(name="ip_vs", status="ok", data=text))
    assert table.faults or len(found) == table.rows
