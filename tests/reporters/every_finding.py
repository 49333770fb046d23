"""A small fleet with a finding of every kind, and its policies as files, so that what is pasted there can be tried."""

from pathlib import Path

from auditor.evaluate import evaluate, report_unreachable, review_policies
from auditor.model.facts import Coverage, Exposure, Gap, HostFacts, Listener
from auditor.model.policy import PolicySet
from auditor.model.report import (
    AuditReport,
    Generator,
    HostReport,
    InventoryRef,
    PolicyRef,
    Run,
    build_report,
    judge_host,
)
from auditor.model.transcript import Failure
from auditor.policies import load_policies
from tests.builders import NOW, a_held_listener, a_host, a_listener, some_facts
from tests.reporters.fleet import a_system, an_exposure, some_coverage

BASE = """\
version: 1
policy: base
raw_sockets: deny
ephemeral_udp: deny
exposures: deny
states: {CLOSE_WAIT: {max: 5}, TIME_WAIT: {max: 5}}
accept_queue: {max: 10}
services: {portal: 443/tcp}
allow:
  - {id: ssh, service: ssh, bind: any}
  - {id: https, service: https/tcp, bind: any}
  - {id: portal, service: portal, bind: loopback}
  - {id: postgresql, port: 5432/tcp, bind: loopback}
  - {id: app, port: 9443/tcp, process: [app]}
  - {id: gone, port: 9999/tcp, required: true}
  - {id: some, port: 7000-7010/tcp, required: true}
  - {id: one, port: 7005/tcp4, bind: loopback, required: true}
deny:
  - {id: telnet, service: telnet}
waivers:
  - {id: w-old, rule: unexpected-listener, hosts: [web-01], port: 8090/tcp, expires: 2026-01-01, owner: o, reason: r}
"""
WEB = """\
version: 1
policy: web
applies_to: {groups: [web]}
allow:
  - {id: http, service: http/tcp, bind: any}
waivers:
  - {id: w-other, rule: accept-queue, hosts: [nobody], expires: 2026-03-01, owner: o, reason: r}
"""
GROUPS = {"web-01": ("web",), "web-02": ("web",), "db-01": ("db",)}


def write_policies(folder: Path) -> dict[str, Path]:
    """Write the policies; return the file of each."""
    files = {"base": folder / "base.yaml", "web": folder / "web.yaml"}
    for name, text in (("base", BASE), ("web", WEB)):
        files[name].write_text(text)
    return files


def everything_wrong() -> HostFacts:
    """Return a host of which every rule about what was read finds something, most of them more than once."""
    twins = [a_listener(address, port) for port in (23, 8443, 5432) for address in ("0.0.0.0", "::")]
    inside = [a_listener("0.0.0.0", 8080, netns=f"docker:{number}") for number in ("0123456789ab", "ba9876543210")]
    listeners: list[Listener] = [
        *twins,
        *inside,
        a_listener("127.0.0.1", 8443),
        a_listener("0.0.0.0", 8080),
        a_listener("10.0.0.5", 8081),
        a_listener("fd00::5", 8081),
        a_listener("203.0.113.9", 8081),
        a_listener("0.0.0.0", 58, proto="raw"),
        Listener(proto="packet", family=None, address="if2", port=3, scope="wildcard", raw="packet row"),
        a_listener("0.0.0.0", 40000, proto="udp", kind="ephemeral-udp"),
        a_listener("0.0.0.0", 161, proto="udp"),
        a_listener("0.0.0.0", 2905, proto="sctp"),
        a_listener("0.0.0.0", 8090),
        a_held_listener("nc", port=9443),
        a_listener("0.0.0.0", 443, pending_accepts=11),
        a_listener("127.0.0.1", 443, pending_accepts=12),
    ]
    exposures: tuple[Exposure, ...] = (
        an_exposure(8085),
        an_exposure(8086, address="10.0.0.5"),
        an_exposure(8087, address="10.9.0.0/16"),
        an_exposure(8443),
        an_exposure(9100, last_port=9110),
        an_exposure(None, source="nftables"),
        an_exposure(7777, proto="any"),
        an_exposure(None, proto="icmp"),
    )
    services = {"4444/tcp": "https", "4445/tcp": "portal"}
    states = {"tcp": {"CLOSE_WAIT": 6, "TIME_WAIT": 7, "LISTEN": 20}}
    system = a_system(hostname="web-01", privileged=True, states=states, clock_skew_s=415.5)
    return some_facts(*listeners, exposures=exposures, services=services, system=system, coverage=some_coverage())


def fleet_facts() -> dict[str, HostFacts]:
    """Return what was read of each host. The others show what one of them has, and a table that is empty."""
    shared = [a_listener("0.0.0.0", 8443), a_listener("0.0.0.0", 8080)]
    bad = Coverage(source="udp", status="empty")
    gap = Gap(source="udp", reason="this table is empty, without even its header: nothing can be said about it")
    plain = some_facts(*shared, system=a_system(), coverage=some_coverage())
    return {
        "web-01": everything_wrong(),
        "web-02": plain,
        "db-01": plain.model_copy(update={"gaps": (gap,), "coverage": some_coverage(bad)}),
    }


def judge_fleet(policies: PolicySet) -> AuditReport:
    """Return the report on the fleet, and on a host that did not answer."""
    hosts = [_judge(name, facts, policies) for name, facts in fleet_facts().items()]
    failure = Failure(phase="tcp", code="tcp-refused", message="refused")
    lost = a_host("lost-01")
    hosts.append(
        HostReport(
            name=lost.name,
            address=lost.address,
            groups=(),
            status="unreachable",
            policies=("base",),
            error=failure,
            facts=None,
            findings=(report_unreachable(lost, failure),),
        )
    )
    references = tuple(PolicyRef(name=one.name, path=one.path, sha256=one.sha256) for one in policies.policies)
    run = Run(
        id="20260102T030405Z-7f3a",
        started_at=NOW,
        finished_at=NOW,
        inventory=InventoryRef(path="inventory.yaml", sha256="0" * 64),
        policies=references,
    )
    hygiene = review_policies(policies, hosts, NOW)
    return build_report(run, hosts, hygiene, "low", Generator(name="netaudit", version="0.1.0"))


def judge_files(folder: Path) -> AuditReport:
    return judge_fleet(load_policies([folder], today=NOW.date()))


def _judge(name: str, facts: HostFacts, policies: PolicySet) -> HostReport:
    judgement = evaluate(a_host(name, groups=GROUPS[name]), facts, policies, NOW)
    return HostReport(
        name=name,
        address=name,
        groups=GROUPS[name],
        status=judge_host(judgement.findings, None, "low"),
        policies=judgement.policies,
        error=None,
        facts=facts.system,
        coverage=facts.coverage,
        gaps=facts.gaps,
        listeners=judgement.listeners,
        findings=judgement.findings,
        exposures=facts.exposures,
    )
