"""The counters of the protocols in, what `netstat -s` shows of them out."""

from collections.abc import Iterator

from auditor.model.network import Counters, Statistics
from auditor.netstat.block import Block
from auditor.netstat.counters import WORDING, Manner
from auditor.netstat.rows import Fields
from auditor.netstat.view import View

_ABOUT = {
    "Ip": "raw",
    "Icmp": "raw",
    "Tcp": "tcp",
    "Udp": "udp",
    "TcpExt": "tcp",
    "Ip6": "raw",
    "Icmp6": "raw",
    "Udp6": "udp",
}
"""What -t, -u and -w leave out of; the others are shown always, as net-tools does."""
COUNTER_FIELDS = ("protocol", "counter", "value")
_HISTOGRAMS: dict[Manner, str] = {"received": "ICMP input histogram:", "sent": "ICMP output histogram:"}


def show_statistics(statistics: Statistics, view: View) -> Block:
    """Return the counters as net-tools 2.10 words them. With -6 those of IPv6, and of TCP, which counts both in one."""
    page = _Page()
    for counters, asked in _ask(statistics, view):
        page.begin(counters.title)
        if asked:
            page.add(counters)
    return Block((), page.lines)


def choose_counters(statistics: Statistics, view: View) -> list[Counters]:
    """Return the protocols that the flags ask for."""
    return [counters for counters, asked in _ask(statistics, view) if asked]


def _ask(statistics: Statistics, view: View) -> Iterator[tuple[Counters, bool]]:
    """Yield every protocol of the families asked for, and whether it is asked for itself."""
    families = view.asked or ("inet",)
    for family in families:
        for counters in statistics.rows:
            if (counters.source == "snmp6") == (family == "inet6"):
                yield counters, _ABOUT.get(counters.title) in {None, *view.protos}
    if families == ("inet6",):
        yield from ((each, "tcp" in view.protos) for each in statistics.rows if each.title == "Tcp")


def list_counters(counters: Counters) -> list[Fields]:
    """Return the fields of each counter of a protocol, by the kernel's names."""
    return [{"protocol": counters.title, "counter": name, "value": value} for name, value in counters.values]


class _Page:
    """The lines so far, and how the last counter was shown, on which the indentation of the next depends."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._manner: Manner = "always"

    def begin(self, title: str) -> None:
        """Come to a protocol; net-tools begins anew only with one that it knows."""
        if title in WORDING:
            self._manner = "always"

    def add(self, counters: Counters) -> None:
        self.lines.append(f"{counters.title}:")
        known = WORDING.get(counters.title, {})
        for name, value in counters.values:
            manner, words = known.get(name, (None, ""))
            if manner is None:
                self._add_unknown(name, value)
            elif manner != "never":
                self._add_known(manner, words, value)

    def _indent(self) -> str:
        return " " * (8 if self._manner in _HISTOGRAMS else 4)

    def _add_unknown(self, name: str, value: int) -> None:
        if value:
            self.lines.append(f"{self._indent()}{name}: {_unsigned(value)}")

    def _add_known(self, manner: Manner, words: str, value: int) -> None:
        if manner in _HISTOGRAMS and manner != self._manner:
            self.lines.append(f"{self._indent()}{_HISTOGRAMS[manner]}")
        self._manner = manner if manner in _HISTOGRAMS else "always"
        if value or manner == "always":
            self.lines.append(self._indent() + words.format(_unsigned(value)))


def _unsigned(value: int) -> int:
    """Return the number as the unsigned long long that it is to net-tools."""
    return value % (1 << 64)
