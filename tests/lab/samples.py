"""The sample hosts of `netaudit demo`, as machines the laboratory can boot: addresses, sockets, names.

Addresses are from the ranges kept for documentation (RFC 5737, RFC 3849) and from private ones. What the hosts call
themselves (distribution, kernel release) is made up here; what they listen on, a real kernel says (see record.py).
"""

from dataclasses import dataclass, field

from tests.lab.sockets import Wanted

WWW, RESOLVE, POSTGRES, MYSQL, CHRONY, PROMETHEUS, NOBODY = 33, 101, 105, 106, 110, 112, 65534
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
ROCKY = 'NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n'
CENTOS = 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n'
SUSE = 'NAME="SLES"\nVERSION="15-SP5"\nID="sles"\nPRETTY_NAME="SUSE Linux Enterprise Server 15 SP5"\n'

SERVICES = """\
# Network services of a sample host
ftp             21/tcp
ssh             22/tcp
telnet          23/tcp
smtp            25/tcp          mail
domain          53/tcp
domain          53/udp
bootpc          68/udp
http            80/tcp          www
sunrpc          111/tcp         portmapper
sunrpc          111/udp         portmapper
ntp             123/udp
snmp            161/udp
https           443/tcp
https           443/udp
syslog          514/udp
mysql           3306/tcp
postgresql      5432/tcp        postgres
http-alt        8080/tcp        webcache
"""


@dataclass(frozen=True)
class Sample:
    """A sample host to record: `number` is the last part of its addresses, `uname` its kernel's name, release, machine.

    `ipv4` False leaves it with IPv6 alone. `empty` names files of /proc/net that its sandbox shows without content.
    `big_endian`: the recording is converted afterwards, as a kernel of that byte order would have printed it.
    """

    number: int
    sockets: tuple[Wanted, ...]
    os_release: str = DEBIAN
    uname: tuple[str, str, str] = ("Linux", "6.1.0-28-amd64", "x86_64")
    hostname: str = ""
    services: str = SERVICES
    clock_skew_s: int = 0
    ipv4: bool = True
    empty: tuple[str, ...] = field(default=())
    big_endian: bool = False


def private(number: int) -> str:
    return f"10.20.0.{number}"


def public6(number: int) -> str:
    return f"2001:db8:20::{number}"


def both(proto: str, port: int, uid: int = 0) -> tuple[Wanted, ...]:
    """A service on the IPv4 and, apart from it, on the IPv6 wildcard, as nginx and rpcbind open theirs."""
    assert proto in ("tcp", "udp")
    return (
        Wanted("tcp" if proto == "tcp" else "udp", "0.0.0.0", port, uid=uid),
        Wanted("tcp" if proto == "tcp" else "udp", "::", port, v6only=True, uid=uid),
    )


CHRONY_ONLY = (Wanted("udp", "127.0.0.1", 323, uid=CHRONY), Wanted("udp", "::1", 323, uid=CHRONY))
RESOLVED = (
    Wanted("udp", "127.0.0.53", 53, uid=RESOLVE),
    Wanted("tcp", "127.0.0.53", 53, uid=RESOLVE),
    Wanted("udp", "0.0.0.0", sendto=("127.0.0.1", 9), uid=RESOLVE),
)


def exporter(number: int) -> Wanted:
    return Wanted("tcp", private(number), 9100, uid=PROMETHEUS)


def front_end(number: int) -> tuple[Wanted, ...]:
    return (*both("tcp", 80, WWW), *both("tcp", 443, WWW), *both("udp", 443, WWW), *CHRONY_ONLY, exporter(number))


HOSTILE_SERVICES = (
    "ssh 22/tcp\n"
    "<script>alert('netaudit')</script> 8081/tcp\n"
    "\x1b]0;owned\x07\x1b[2J\x1b[31mhttps 8082/tcp\n"
    "\u202eptth\u202c\u200b 8083/tcp\n"
    '"><img/src=x/onerror=alert(1)> 8084/tcp\n'
    "=HYPERLINK('//192.0.2.66') 8085/tcp\n"
    "{{7*7}}${7*7}[click](javascript:alert(1)) 8086/tcp\n"
)

SAMPLES: dict[str, Sample] = {
    "web-01": Sample(
        11,
        (
            *front_end(11),
            *RESOLVED,
            Wanted("tcp", "127.0.0.1", 25, accept=True),
            Wanted("tcp", "127.0.0.1", peer=("127.0.0.1", 25), uid=WWW),
            Wanted("udp", "127.0.0.1", peer=("127.0.0.53", 53), uid=WWW),
        ),
    ),
    "web-02": Sample(
        12,
        (
            *(Wanted("tcp", "::", port, v6only=False, uid=WWW, copies=4) for port in (80, 443)),
            Wanted("udp", "::", 443, v6only=False, uid=WWW, copies=4),
            *CHRONY_ONLY,
            exporter(12),
        ),
        clock_skew_s=1,
    ),
    "web-03": Sample(
        13,
        (
            *both("tcp", 80, WWW),
            *both("tcp", 443, WWW),
            *CHRONY_ONLY,
            Wanted("tcp", "::", 9100, uid=PROMETHEUS),
            Wanted("tcp", "0.0.0.0", 8080, uid=WWW),
        ),
    ),
    "db-01": Sample(
        21,
        (
            Wanted("tcp", private(21), 5432, uid=POSTGRES),
            Wanted("tcp", "127.0.0.1", 5432, uid=POSTGRES, accept=True),
            Wanted("tcp", "127.0.0.1", peer=("127.0.0.1", 5432), uid=POSTGRES),
            Wanted("udp", "127.0.0.1", 323, uid=CHRONY),
            exporter(21),
        ),
        os_release=ROCKY,
        uname=("Linux", "5.14.0-427.13.1.el9_4.x86_64", "x86_64"),
    ),
    "db-02": Sample(
        22,
        (
            Wanted("tcp", "0.0.0.0", 3306, uid=MYSQL),
            Wanted("tcp", private(22), 5432, uid=POSTGRES),
            *both("tcp", 23),
            *CHRONY_ONLY,
        ),
        os_release=ROCKY,
        uname=("Linux", "5.14.0-427.13.1.el9_4.x86_64", "x86_64"),
        clock_skew_s=-2,
    ),
    "bastion-01": Sample(31, CHRONY_ONLY),
    "legacy-01": Sample(
        41,
        (
            *both("tcp", 21),
            Wanted("tcp", "0.0.0.0", 23),
            *both("tcp", 111),
            *both("udp", 111),
            Wanted("udp", "0.0.0.0", 161),
            Wanted("tcp", "0.0.0.0", 4444, uid=NOBODY),
        ),
        os_release=CENTOS,
        uname=("Linux", "3.10.0-1160.el7.x86_64", "x86_64"),
        services=SERVICES.replace("443/tcp", "4444/tcp"),
        clock_skew_s=417,
    ),
    "v6-01": Sample(
        51,
        (
            *(Wanted("tcp", "::", port, v6only=True, uid=WWW) for port in (80, 443)),
            Wanted("udp", "::", 443, v6only=True, uid=WWW),
            Wanted("tcp", "::1", 9100, uid=PROMETHEUS),
            Wanted("udp", "::1", 323, uid=CHRONY),
        ),
        ipv4=False,
    ),
    "mainframe-01": Sample(
        61,
        (
            Wanted("tcp", private(61), 5432, uid=POSTGRES),
            Wanted("tcp", "127.0.0.1", 5432, uid=POSTGRES),
            Wanted("udp", "::1", 323, uid=CHRONY),
            Wanted("udp", "127.0.0.1", 323, uid=CHRONY),
        ),
        os_release=SUSE,
        uname=("Linux", "5.14.21-150500.55.39-default", "s390x"),
        big_endian=True,
    ),
    "build-01": Sample(71, (Wanted("tcp", "0.0.0.0", 8080, uid=NOBODY),), empty=("tcp",)),
    "kiosk-01": Sample(
        81,
        tuple(Wanted("tcp", "0.0.0.0", port, uid=NOBODY) for port in range(8081, 8087)),
        hostname="kiosk<img src=x onerror=alert(1)>\x1b[31m\u202e{{7*7}}",
        services=HOSTILE_SERVICES,
    ),
}
