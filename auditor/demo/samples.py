"""The sample hosts of the demo: their names, their groups, and what is to be seen on each."""

from typing import Literal

from auditor.model.value import Value

Quirk = Literal["refuses", "new-host-key"]


class Sample(Value):
    """One sample host. `number` is the last part of its loopback address.

    `recording` is the folder under `hosts/` it answers from. `quirk`: nothing listens there, or its host key is not the
    one in known_hosts.
    """

    name: str
    number: int
    groups: tuple[str, ...]
    about: str
    recording: str
    quirk: Quirk | None = None

    @property
    def key_name(self) -> str:
        """The name its host key is derived from."""
        return f"{self.name} rebuilt" if self.quirk == "new-host-key" else self.name


def _sample(name: str, number: int, group: str, about: str) -> Sample:
    return Sample(name=name, number=number, groups=(group,), about=about, recording=name)


SAMPLES: tuple[Sample, ...] = (
    _sample("bastion-01", 31, "bastion", "answers SSH and nothing else"),
    _sample("build-01", 71, "ci", "a sandbox that shows an empty TCP table: not known is never clean"),
    Sample(
        name="cache-01",
        number=91,
        groups=("web",),
        about="nothing answers here",
        recording="web-01",
        quirk="refuses",
    ),
    _sample("db-01", 21, "db", "PostgreSQL on its private address"),
    _sample("db-02", 22, "db", "MySQL open to the world, and telnet"),
    _sample("kiosk-01", 81, "kiosk", "hostile: the names it reports try to attack whoever reads them"),
    _sample("legacy-01", 41, "web", "telnet, FTP, rpcbind, no HTTPS, and a services file that calls port 4444 https"),
    _sample("mainframe-01", 61, "db", "s390x, a big-endian kernel"),
    _sample("v6-01", 51, "web", "IPv6 only"),
    _sample("web-01", 11, "web", "a clean front end"),
    _sample("web-02", 12, "web", "a clean front end with four workers on each port"),
    _sample("web-03", 13, "web", "a forgotten service on 8080, and metrics open to the world"),
    Sample(
        name="web-04",
        number=14,
        groups=("web",),
        about="its host key is not the one we know",
        recording="web-02",
        quirk="new-host-key",
    ),
)
