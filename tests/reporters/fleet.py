"""Sample AuditReports: small, mixed, large, calm, bad, out of reach, and hostile in every field a stranger fills."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from auditor.model.address import classify_scope, family_of, join_port
from auditor.model.facts import Coverage, Exposure, Gap, Owner, Proto, System, UnixListener
from auditor.model.finding import Finding, RuleId, Waived
from auditor.model.origin import Origin
from auditor.model.policy import Severity
from auditor.model.report import (
    AuditReport,
    Decision,
    Generator,
    HostReport,
    Hygiene,
    InventoryRef,
    JudgedListener,
    ListenerVerdict,
    PolicyRef,
    Run,
    build_report,
    judge_host,
)
from auditor.model.transcript import Failure

STARTED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FINISHED = datetime(2026, 3, 4, 5, 6, 19, tzinfo=UTC)
POLICY = "policies/web.yaml"
LABELS = {22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 80: "http", 123: "ntp", 443: "https", 5432: "postgresql"}


def digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def a_decision(entry: str | None = "https", line: int = 12) -> Decision:
    return Decision(policy="web-tier", entry=entry, file=POLICY, line=line)


def spell_kernel(address: str) -> str:
    """Return an address as a little-endian kernel prints it: each 32-bit word by its value (tcp(4) tables)."""
    packed = ip_address(address).packed
    return "".join(packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))


def a_judged(
    address: str = "0.0.0.0",
    port: int = 443,
    verdict: ListenerVerdict = "allowed",
    proto: Proto = "tcp",
    **fields: Any,
) -> JudgedListener:
    parsed = ip_address(address)
    fixed: dict[str, Any] = {
        "proto": proto,
        "family": family_of(parsed),
        "address": address,
        "port": port,
        "scope": classify_scope(parsed),
        "service": LABELS.get(port),
        "dual_stack": "no" if address == "::" else None,
        "verdict": verdict,
        "decided_by": a_decision() if verdict == "allowed" else a_decision(None, 7),
        "raw": f"   0: {spell_kernel(address)}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000",
    }
    return JudgedListener.model_validate({**fixed, **fields})


def twins(port: int, verdict: ListenerVerdict = "allowed", **fields: Any) -> tuple[JudgedListener, ...]:
    return (a_judged("0.0.0.0", port, verdict, **fields), a_judged("::", port, verdict, **fields))


def a_finding(
    host: str,
    rule: RuleId = "unexpected-listener",
    severity: Severity = "high",
    subject: str = "tcp 0.0.0.0:8080 and [::]:8080",
    message: str = "Nothing allows 8080/tcp, and it is bound to every address.",
    **fields: Any,
) -> Finding:
    fixed: dict[str, Any] = {
        "id": digest(f"{rule} {host} {subject}")[:32],
        "rule": rule,
        "severity": severity,
        "subject": subject,
        "message": message,
        "remediation": "Stop the service, bind it to one address, or add it to the allowlist.",
        "controls": ("CIS-2.1.22", "NIST-CM-7"),
        "origin": Origin(file=POLICY, line=7),
    }
    return Finding.model_validate({**fixed, **fields})


def some_coverage(*bad: Coverage) -> tuple[Coverage, ...]:
    good = {"tcp": (14, 5), "tcp6": (9, 4), "udp": (4, 3), "udp6": (2, 2), "raw": (0, 0), "services": (361, 0)}
    named = {row.source for row in bad}
    return tuple(bad) + tuple(
        Coverage(source=source, status="ok", rows=rows, listeners=count, sha256=digest(source))
        for source, (rows, count) in good.items()
        if source not in named
    )


def a_system(**fields: Any) -> System:
    fixed: dict[str, Any] = {
        "hostname": "web-01",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.1.0-28-amd64",
        "arch": "x86_64",
        "byte_order": "little",
        "collected_at": datetime(2026, 3, 4, 5, 6, 9, tzinfo=UTC),
        "clock_skew_s": 0.31,
        "ephemeral_ports": (32768, 60999),
        "host_key": "ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrHXyvzdJVNrpFnDJmVCdx1k",
        "kex": "mlkem768x25519-sha256",
        "reader_netns": "host",
        "states": {"tcp": {"ESTABLISHED": 12, "TIME_WAIT": 3, "LISTEN": 9}, "udp": {"UNCONNECTED": 5}},
    }
    return System.model_validate({**fixed, **fields})


def an_exposure(port: int | None = 8080, **fields: Any) -> Exposure:
    fixed: dict[str, Any] = {
        "proto": "tcp",
        "family": "ipv4",
        "address": None,
        "port": port,
        "target": "172.17.0.2:80",
        "source": "iptables",
        "raw": f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport {port} -j DNAT --to-destination 172.17.0.2:80",
    }
    return Exposure.model_validate({**fixed, **fields})


UNIX = (
    UnixListener(kind="stream", path="/run/docker.sock"),
    UnixListener(kind="seqpacket", path="/run/udev/control"),
    UnixListener(kind="unknown", path="@/tmp/.X11-unix/X0"),
)


def a_host_report(
    name: str = "web-01",
    listeners: Sequence[JudgedListener] = (),
    findings: Sequence[Finding] = (),
    **fields: Any,
) -> HostReport:
    error = fields.get("error")
    failure = error if isinstance(error, Failure) else None
    fixed: dict[str, Any] = {
        "name": name,
        "address": f"{name}.example.com",
        "groups": ("web",),
        "status": judge_host(findings, failure, "low"),
        "policies": ("base", "web-tier"),
        "error": failure,
        "facts": None if failure else a_system(hostname=name),
        "coverage": () if failure else some_coverage(),
        "listeners": tuple(listeners),
        "findings": tuple(findings),
    }
    return HostReport.model_validate({**fixed, **fields})


def a_report(*hosts: HostReport, hygiene: Sequence[Hygiene] = (), partial: bool = False) -> AuditReport:
    run = Run(
        id="20260304T050607Z-7f3a",
        started_at=STARTED,
        finished_at=FINISHED,
        partial=partial,
        inventory=InventoryRef(path="inventory.yaml", sha256=digest("inventory")),
        policies=(
            PolicyRef(name="base", path="policies/base.yaml", sha256=digest("base")),
            PolicyRef(name="web-tier", path=POLICY, sha256=digest("web")),
        ),
    )
    return build_report(run, hosts, hygiene, "low", Generator(name="netaudit", version="0.1.0"))


def limit(report: AuditReport, chosen: int, of: int, **fields: Any) -> AuditReport:
    """Return the report of a run that was to audit `chosen` hosts `of` so many in the inventory."""
    inventory = report.run.inventory.model_copy(update={"hosts": of})
    run = report.run.model_copy(update={"chosen": chosen, "inventory": inventory, **fields})
    return report.model_copy(update={"run": run})


def a_calm_host(name: str, **fields: Any) -> HostReport:
    listeners = (
        *twins(22, sockets=1),
        *twins(443, sockets=4),
        a_judged("127.0.0.1", 5432),
        a_judged("::1", 5432),
        a_judged("10.0.0.11", 9100, pending_accepts=2),
        a_judged("0.0.0.0", 40123, "ignored", "udp", kind="ephemeral-udp"),
    )
    return a_host_report(name, listeners, **fields)


def a_bad_host(name: str, **fields: Any) -> HostReport:
    nginx = Owner(pid=812, comm="nginx", exe="/usr/sbin/nginx", unit="nginx.service")
    telnet = Owner(pid=4111, comm="inetd", exe="/usr/sbin/inetd", unit="inetd.service")
    listeners = (
        *twins(443, owner_status="known", user="root", uid=0, owners=(nginx,), sockets=4),
        *twins(23, "denied", owner_status="known", user="root", uid=0, owners=(telnet,)),
        *twins(
            8080, "unexpected", owner_status="known", user="deploy", uid=1001, owners=(Owner(pid=991, comm="java"),)
        ),
        a_judged("10.0.0.12", 8443, "waived", owner_status="known", uid=1002, owners=(Owner(pid=17, comm="app"),)),
        a_judged("fe80::5054:ff:fe12:3456", 546, "allowed", "udp", owner_status="kernel"),
    )
    findings = (
        a_finding(
            name,
            "forbidden-listener",
            "critical",
            "tcp 0.0.0.0:23 and [::]:23",
            "telnet is forbidden: clear-text login.",
            remediation="Disable telnet.socket:\nsystemctl disable --now telnet.socket",
            origin=Origin(file="policies/base.yaml", line=31),
        ),
        a_finding(name),
        a_finding(
            name,
            severity="medium",
            subject="tcp 10.0.0.12:8443",
            message="Nothing allows 8443/tcp.",
            waived=Waived(waiver="w-17", reason="migration", owner="ops@example.com", expires="2026-12-31"),
        ),
    )
    beside = {
        "exposures": (an_exposure(), an_exposure(9000, last_port=9010, source="nftables", address="10.0.0.12")),
        "unix": UNIX,
        "labels": {"env": "prod"},
    }
    system = a_system(hostname=name, privileged=True)
    return a_host_report(name, listeners, findings, **{"facts": system, **beside, **fields})


def a_lost_host(name: str, code: str = "tcp-refused", **fields: Any) -> HostReport:
    failures = {
        "tcp-refused": Failure(
            phase="tcp",
            code="tcp-refused",
            message=f"{name}.example.com port 22: connection refused",
            hint="Is sshd running, and on this port? Check with: ss -ltn 'sport = :22'",
        ),
        "hostkey-changed": Failure(
            phase="hostkey",
            code="hostkey-changed",
            message="the host showed ssh-ed25519 SHA256:aaaa, known_hosts has SHA256:bbbb",
            hint=f"If the change was planned: ssh-keygen -R {name}.example.com, then add the new key.",
        ),
    }
    finding = a_finding(name, "unreachable", "high", name, failures[code].message, remediation=failures[code].hint)
    return a_host_report(name, (), (finding,), **{"error": failures[code], "policies": (), **fields})


def a_partial_host(name: str, **fields: Any) -> HostReport:
    reason = "/proc/net/udp6 could not be read (denied); UDP over IPv6 is not known"
    finding = a_finding(
        name, "evidence-gap", "high", "udp6", reason, remediation="Allow the audit user to read it.", controls=()
    )
    gaps = (Gap(source="udp6", reason=reason), Gap(source="frame", reason="2 sections came twice"))
    coverage = some_coverage(Coverage(source="udp6", status="denied"))
    return a_host_report(name, (*twins(443),), (finding,), **{"gaps": gaps, "coverage": coverage, **fields})


def mixed_fleet() -> AuditReport:
    """Eight hosts: every status, several groups, a waiver, notes on the policies."""
    exposed = a_finding(
        "db-02",
        "exposed-listener",
        "medium",
        "tcp 0.0.0.0:5432",
        "5432/tcp is allowed on private and loopback addresses; this one is bound to every address.",
    )
    missing = a_finding("db-02", "missing-listener", "low", "tcp 9100", "9100/tcp is required, nothing listens there.")
    notes = (
        Hygiene(kind="unused-allow", message="entry rsync matched nothing", origin=Origin(file=POLICY, line=19)),
        Hygiene(kind="expiring-waiver", message="w-17 ends in 12 days", origin=Origin(file=POLICY, line=40)),
    )
    return a_report(
        a_calm_host("web-01"),
        a_calm_host("web-02", groups=("edge", "web")),
        a_bad_host("web-03"),
        a_calm_host("db-01", groups=("db",)),
        a_host_report("db-02", (a_judged("0.0.0.0", 5432, "unexpected"),), (exposed, missing), groups=("db",)),
        a_partial_host("db-03", groups=("db",)),
        a_lost_host("edge-01", groups=("edge",)),
        a_lost_host("edge-02", "hostkey-changed", groups=("edge",)),
        hygiene=notes,
    )


def large_fleet(count: int = 200, listeners: int = 0) -> AuditReport:
    """`count` hosts, one in ten bad, one in twenty-five lost, one in forty incomplete; `listeners` more on each."""
    more = tuple(a_judged("10.0.0.11", 20000 + offset) for offset in range(listeners))
    hosts: list[HostReport] = []
    for number in range(count):
        name, groups = f"host-{number:05d}", (f"site-{number % 7}", "all")
        if number % 25 == 3:
            hosts.append(a_lost_host(name, groups=groups))
        elif number % 10 == 5:
            hosts.append(a_bad_host(name, groups=groups))
        elif number % 40 == 7:
            hosts.append(a_partial_host(name, groups=groups))
        else:
            calm = a_calm_host(name, groups=groups)
            hosts.append(calm.model_copy(update={"listeners": calm.listeners + more}))
    return a_report(*hosts)


def fleets() -> dict[str, AuditReport]:
    """Return every sample by name."""
    return {
        "one": a_report(a_calm_host("web-01")),
        "mixed": mixed_fleet(),
        "large": large_fleet(),
        "passing": a_report(*(a_calm_host(f"web-{number:02d}") for number in range(8))),
        "failing": a_report(*(a_bad_host(f"web-{number:02d}") for number in range(8))),
        "lost": a_report(
            *(a_lost_host(f"web-{number:02d}") for number in range(6)), a_lost_host("x", "hostkey-changed")
        ),
        "none": a_report(),
        "stopped": a_report(a_calm_host("web-01"), partial=True),
    }


def hostile_fleet(text: str) -> AuditReport:
    """Return a report in which every free string is `text`: what a host, a policy or an inventory may try."""
    origin = Origin(file=text, line=1)
    judged = a_judged(
        service=text,
        raw=text,
        netns=text,
        user=text,
        owner_status="known",
        owners=(Owner(pid=1, comm=text, exe=text, cmdline=text, unit=text, container=text),),
        address="0.0.0.0",
        decided_by=Decision(policy=text, entry=text, file=text, line=1),
    ).model_copy(update={"address": text})
    waived = Waived(waiver=text, reason=text, owner=text, expires=text, ticket=text, origin=origin)
    fields: dict[str, Any] = {
        "subject": f"{judged.proto} {join_port(text, judged.port)}",
        "message": text,
        "remediation": f"{text}\n{text}\n{text}",
        "controls": (text,),
        "origin": origin,
    }
    findings = (
        a_finding("a", **fields),
        a_finding("b", severity="low", **{**fields, "waived": waived}),
        a_finding("c", "evidence-gap", **fields),
    )
    words = dict.fromkeys(("hostname", "os", "kernel", "arch", "host_key", "kex"), text)
    system = a_system(**words, privileged=True, states={text: {text: 1}})
    rest: dict[str, Any] = {"address": text, "groups": (text,), "policies": (text,)}
    seen = a_host_report(
        f"{text}1",
        (judged,),
        findings,
        **rest,
        facts=system,
        gaps=(Gap(source=text, reason=text),),
        coverage=(Coverage(source=text, status="malformed", sha256=text),),
        labels={text: text},
        exposures=(Exposure(proto=text, family=None, address=text, port=1, target=text, source="ipvs", raw=text),),
        unix=(UnixListener(kind="stream", path=text),),
    )
    failure = Failure(phase="auth", code=text, message=text, hint=text)
    other = Failure(phase="auth", code=text, message=text, hint=f"{text}2")
    base = a_report(
        seen,
        a_host_report(f"{text}2", error=failure, **rest),
        a_host_report(f"{text}3", error=other, **rest),
        hygiene=(Hygiene(kind=text, message=text, origin=origin),),
    )
    run = base.run.model_copy(
        update={
            "id": text,
            "inventory": InventoryRef(path=text, sha256=text),
            "policies": (PolicyRef(name=text, path=text, sha256=text),),
        }
    )
    generator = Generator(name=text, version=text)
    return base.model_copy(
        update={"run": run, "generator": generator, "exit": base.exit.model_copy(update={"reasons": (text,)})}
    )
