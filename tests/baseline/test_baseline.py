"""Baselines a person would have written: golden texts for small fleets."""

from pathlib import Path

from auditor.baseline import Habits, baseline, render_baseline
from auditor.model.facts import HostFacts, Listener, Owner
from auditor.model.host import Host
from auditor.policies.services import bundled_services
from tests.builders import a_host, a_listener, some_facts


def rows(*places: str, comm: str | None = None) -> list[Listener]:
    """Return listeners for `tcp 0.0.0.0 443`; a process holds them when it is named."""
    held = {"owner_status": "known", "owners": (Owner(pid=9, comm=comm),)} if comm else {}
    split = [place.split() for place in places]
    return [a_listener(address, int(port), proto=proto, **held) for proto, address, port in split]


def seen(*listeners: list[Listener], **fields: object) -> HostFacts:
    return some_facts(*(one for group in listeners for one in group), **fields)


SSH = rows("tcp 0.0.0.0 22", "tcp :: 22", comm="sshd")


def web(number: int, *more: list[Listener]) -> tuple[Host, HostFacts]:
    https = rows("tcp 0.0.0.0 443", "tcp :: 443", "udp 0.0.0.0 443", comm="nginx")
    metrics = rows(f"tcp 10.0.0.{number} 9100")
    return a_host(f"web-{number:02}", groups=("prod", "web")), seen(SSH, https, metrics, *more)


def db(number: int) -> tuple[Host, HostFacts]:
    stub = rows("udp 127.0.0.53 53", "tcp 127.0.0.53 53", comm="systemd-resolve")
    return a_host(f"db-{number:02}", groups=("db", "prod")), seen(SSH, rows(f"tcp 10.0.1.{number} 5432"), stub)


def draw(*fleet: tuple[Host, HostFacts], **habits: object) -> list[str]:
    return [render_baseline(one) for one in baseline(fleet, bundled_services(), Habits(**habits))]  # type: ignore[arg-type]  # keywords of the test


def test_a_fleet_of_two_roles() -> None:
    fleet = [web(1), web(2), web(3, rows("tcp 0.0.0.0 8443", comm="java")), db(1), db(2)]
    base, database, front = draw(*fleet)
    assert base == (
        "# What the hosts were seen to listen on: 5 hosts, 2026-01-02.\n"
        "# Written by `netaudit baseline`. What is there is not yet what should be there: review it, and say why.\n"
        "version: 1\n"
        "policy: base\n"
        'description: "What the hosts were seen to listen on."\n'
        "raw_sockets: warn\n"
        "\n"
        "allow:\n"
        "  - {id: ssh, service: ssh, process: sshd}  # 5 of 5 hosts\n"
    )
    assert database.partition("applies_to:\n")[2] == (
        "  groups: [db]\n"
        "raw_sockets: warn\n"
        "\n"
        "allow:\n"
        "  - {id: domain, service: domain, bind: 127.0.0.53, process: systemd-resolve}  # 2 of 2 hosts\n"
        "  - {id: postgresql, service: postgresql, bind: private}  # 2 of 2 hosts\n"
    )
    assert front.partition("applies_to:\n")[2] == (
        "  groups: [web]\n"
        "raw_sockets: warn\n"
        "\n"
        "allow:\n"
        "  - {id: https, service: https, process: nginx}  # 3 of 3 hosts\n"
        "  - {id: node-exporter, service: node-exporter, bind: private}  # 3 of 3 hosts\n"
        "\n"
        "# Seen on few of the 3 hosts, and left out:\n"
        "#   8443/tcp at any (java): web-03\n".replace("8443/tcp", "https-alt")
    )


def test_the_document_shows_what_is_really_written() -> None:
    front = draw(web(1), web(2), web(3, rows("tcp 0.0.0.0 8443", comm="java")), db(1), db(2))[2]
    assert f"```yaml\n{front}```\n" in (Path(__file__).parents[2] / "docs/policies.md").read_text()


def test_one_group_is_one_policy() -> None:
    assert [text.split("\n")[3] for text in draw(web(1), db(1), group="prod")] == ["policy: prod"]
    assert [text.split("\n")[3] for text in draw(web(1), db(1), group="db")] == ["policy: db"]
    assert draw(web(1), group="nobody") == []


def test_hosts_without_a_group_are_named() -> None:
    (text,) = draw((a_host("here"), seen(SSH)), (a_host("[2001:db8::1]"), seen(SSH)))
    assert '  hosts:\n    - "[[]2001:db8::1]"\n    - here\n' in text


def test_ports_of_one_program_and_runs_of_ports_are_one_line() -> None:
    many = rows("tcp 0.0.0.0 7001", "tcp 0.0.0.0 7002", "tcp 0.0.0.0 7003", "tcp 0.0.0.0 7777", comm="oracle")
    nobody = rows("udp 0.0.0.0 20011", "udp 0.0.0.0 20012", "tcp 0.0.0.0 31999")
    (text,) = draw((a_host(groups=("x",)), seen(many, nobody)))
    entries = [line.strip() for line in text.split("\n") if line.startswith("  - ")]
    assert entries == [
        "- {id: tcp-7001, ports: [7001-7003/tcp, 7777/tcp], process: oracle}  # 1 of 1 host",
        "- {id: udp-20011, port: 20011-20012/udp}  # 1 of 1 host",
        "- {id: tcp-31999, port: 31999/tcp}  # 1 of 1 host",
    ]


def test_a_name_that_misleads_on_the_host_is_not_used() -> None:
    https = rows("tcp 0.0.0.0 443")
    (text,) = draw((a_host(groups=("x",)), seen(https, services={"4444/tcp": "https"})))
    assert "{id: tcp-443, port: 443/tcp}" in text


def test_a_name_that_misleads_on_few_hosts_is_used_and_told() -> None:
    fleet = [(a_host(f"h-{n}", groups=("x",)), seen(rows("tcp 0.0.0.0 22"))) for n in range(4)]
    fleet[2] = fleet[2][0], seen(rows("tcp 0.0.0.0 22"), services={"2222/tcp": "ssh"})
    (text,) = draw(*fleet)
    assert "{id: ssh, service: ssh}" in text
    assert text.endswith("#   ssh/tcp as the name of another port: h-2\n")


def test_a_name_that_misleads_a_host_of_another_role_is_not_used_either() -> None:
    """The policy of `prod` applies to db-1 too, which is in that group and counts to another role."""
    misled = {"4444/tcp": "https"}
    fleet = [
        (a_host("db-1", groups=("db", "prod")), seen(services=misled)),
        (a_host("db-2", groups=("db",)), seen(services=misled)),
        (a_host("web-1", groups=("prod",)), seen(rows("tcp 0.0.0.0 443"))),
    ]
    texts = draw(*fleet, min_share=0)
    assert "port: 443/tcp" in "".join(texts)
    assert "service: https" not in "".join(texts)


def test_a_hostile_host_writes_nothing_but_comments() -> None:
    evil = rows("tcp 0.0.0.0 4444", comm="x\n  - {port: 1-65535/tcp}")
    (text,) = draw((a_host("evil\n- x", groups=("x\ny: [",)), seen(evil)))
    assert [line for line in text.split("\n") if line.startswith("  - ")] == [
        "  - {id: tcp-4444, port: 4444/tcp}  # 1 of 1 host"
    ]
    assert '  groups: ["x\\ny: ["]\n' in text


def test_a_program_that_goes_by_a_glob_is_not_named() -> None:
    (text,) = draw((a_host(groups=("x",)), seen(rows("tcp 0.0.0.0 4444", comm="*"))))
    assert "process" not in text


def test_kernel_sockets_and_other_namespaces_say_so() -> None:
    kernel = a_listener("0.0.0.0", 2049, owner_status="kernel")
    inside = a_listener("0.0.0.0", 8080, netns="4026532281")
    (text,) = draw((a_host(groups=("x",)), some_facts(kernel, inside)))
    assert "{id: nfs-tcp, service: nfs/tcp, owner: kernel}" in text
    assert "netns: containers}" in text


def test_several_readings_of_a_host_add_up() -> None:
    host = a_host(groups=("x",))
    (text,) = draw((host, seen(rows("tcp 0.0.0.0 22"))), (host, seen(rows("tcp 0.0.0.0 80"))))
    assert "service: ssh}  # 1 of 1 host" in text
    assert "service: http}  # 1 of 1 host" in text


def test_process_1_is_one_of_the_holders_unless_it_is_systemd() -> None:
    def held_by(first: str) -> list[Listener]:
        owners = (Owner(pid=1, comm=first), Owner(pid=9, comm="nginx"))
        return [a_listener("0.0.0.0", 443, owner_status="known", owners=owners)]

    hosts = {first: a_host("web-01", groups=("web",)) for first in ("systemd", "python3")}
    drawn = {first: "".join(draw((host, seen(held_by(first))))) for first, host in hosts.items()}
    assert "process: nginx" in drawn["systemd"]
    assert "process: nginx" not in drawn["python3"]
