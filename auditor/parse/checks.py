"""Whether what was read is this host's and whole: doubts in, gaps out."""

from collections.abc import Iterator, Mapping

from auditor.model.facts import Gap, ReaderNetns
from auditor.model.snapshot import Section
from auditor.model.transcript import Transcript
from auditor.parse.session import Ends
from auditor.parse.socket import WordOrder
from auditor.parse.sockstat import Counters
from auditor.parse.system import read_names

Sections = Mapping[str, Section]


def find_block(sections: Sections) -> Gap | None:
    """Return why there is nothing to parse, if so: one gap in place of one for every table."""
    if not sections:
        return None
    system = read_names(sections)[0]
    if system is not None and system != "Linux":
        reason = f"the host runs {system}, not Linux: netaudit reads the socket tables of Linux only"
        return Gap(source="unsupported-os", reason=reason)
    needed = [sections.get(name) for name in ("tcp", "udp", "sockstat.1")]
    if all(section is not None and section.status == "absent" for section in needed):
        reason = "the account sees no /proc/net: is it confined (chroot, container), or is /proc not mounted there?"
        return Gap(source="no-procfs", reason=reason)
    return None


def check_order(doubt: str) -> Iterator[Gap]:
    """Yield a gap when the byte order is not known. Ports are right in any order."""
    if doubt:
        reason = f"{doubt}; addresses are shown as a little-endian host would mean them and cannot be relied on"
        yield Gap(source="byte-order", reason=reason)


def check_namespace(reader: ReaderNetns, *, local: bool, host_seen: bool) -> Iterator[Gap]:
    """Yield a gap when we read another network namespace than the host's own, and that one was not read besides."""
    if reader == "unknown" and local:
        reason = (
            "whether these are the tables of the host's first process cannot be told: it is hidden from this account"
        )
        yield Gap(source="netns", reason=f"{reason} (hidepid)")
    if reader == "other" and not host_seen:
        reason = "these are the sockets of another network namespace than that of the host's first process"
        yield Gap(source="netns", reason=f"{reason}: what listens on the host itself was not seen")


def check_session(
    sections: Sections, transcript: Transcript, ends: Ends | None, found: frozenset[WordOrder]
) -> Iterator[Gap]:
    """Yield a gap when nothing vouches that the tables are those of the network namespace we came in by, and whole.

    Over SSH our own connection's row must be there. That process 1 has the same tables says less: in a container that a
    forced command put us into, process 1 is the container's. A local run has no connection (SSH_CONNECTION, if set, is
    that of whoever started netaudit, and may be long closed), see `check_namespace` for it. Where a TCP table was not
    read, that is the gap, and the missing row only follows from it.
    """
    if transcript.session.is_local:
        return
    if ends is not None and not found and _are_read(sections):
        yield Gap(
            source="session",
            reason="our own SSH connection is not in the host's tables: they are another network namespace's, "
            "or something filters them",
        )
    elif ends is None:
        yield Gap(
            source="session",
            reason="the host sets no SSH_CONNECTION, so nothing shows that the tables are those of the network "
            "namespace we came in by: a forced command may have put us into a container",
        )


def _are_read(sections: Sections) -> bool:
    """Return whether both TCP tables were read; a host without IPv6 has one."""
    tcp, tcp6 = sections.get("tcp"), sections.get("tcp6")
    if tcp is None or tcp.status != "ok" or not tcp.data or tcp6 is None:
        return False
    return tcp6.status == "absent" or (tcp6.status == "ok" and tcp6.data != b"")


def check_counters(sections: Sections, counters: Counters) -> Iterator[Gap]:
    """Yield a gap when the kernel's own counts are not there to hold the tables against."""
    v6 = sections.get("if_inet6")
    needed = ("tcp", "udp") if v6 is not None and v6.status == "absent" else ("tcp", "udp", "tcp6", "udp6")
    lacking = [name for name in needed if name not in counters.inuse]
    if lacking:
        reason = f"the kernel's own counts of {', '.join(lacking)} sockets (/proc/net/sockstat) could not be read twice"
        yield Gap(source="sockstat", reason=f"{reason}, so that rows are missing would not show")
