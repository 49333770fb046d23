"""The small sections in, what is known of the host itself out: names, clock, privileges, ephemeral ports."""

import re
from collections.abc import Mapping
from datetime import datetime

from auditor.model.facts import ReaderNetns
from auditor.model.snapshot import Section
from auditor.parse.table import read_once
from auditor.parse.udp import EphemeralPorts

_PRETTY = re.compile(rb"PRETTY_NAME=(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s\"']*))")
_SPAN = re.compile(rb"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_NETNS: dict[bytes, ReaderNetns] = {b"init": "host", b"other": "other"}
_SHOWN = 256

Sections = Mapping[str, Section]


def read_text(sections: Sections, name: str) -> bytes:
    """Return a section's bytes without the white space around them; nothing when it was not read whole."""
    return _strip(sections.get(name))


def _strip(section: Section | None) -> bytes:
    return section.data.strip() if section is not None and section.status == "ok" else b""


def read_names(sections: Sections) -> tuple[str | None, str | None, str | None]:
    """Return (system, kernel release, machine) as uname(1) names them, None for what is not there."""
    return _read_names(sections.get("uname"))


@read_once()
def _read_names(section: Section | None) -> tuple[str | None, str | None, str | None]:
    system, _, rest = _strip(section).partition(b" ")
    kernel, _, machine = rest.partition(b" ")
    return _show(system), _show(kernel), _show(machine)


def read_hostname(sections: Sections) -> str | None:
    return _show(read_text(sections, "hostname"))


def read_os(sections: Sections) -> str | None:
    """Return PRETTY_NAME of os-release(5)."""
    return _read_os(sections.get("os-release"))


@read_once()
def _read_os(section: Section | None) -> str | None:
    match = _PRETTY.match(_strip(section))
    return _show(match[1] or match[2] or match[3] or b"") if match else None


def read_netns(sections: Sections) -> ReaderNetns:
    """Return whether we read the tables of the network namespace that the host's first process is in."""
    return _NETNS.get(read_text(sections, "netns"), "unknown")


def read_number(sections: Sections, name: str) -> int | None:
    text = read_text(sections, name)
    return int(text) if text.isdigit() and len(text) <= 12 else None


def measure_skew(sections: Sections, started_at: datetime, finished_at: datetime) -> float | None:
    """Return by how many seconds the host's clock is at least ahead (+) or behind (-) of the controller's.

    The host read its clock, in whole seconds, at some moment of the session: 0.0 when both can be right.
    """
    read = read_number(sections, "date")
    if read is None:
        return None
    if read > finished_at.timestamp():
        return round(read - finished_at.timestamp(), 1)
    return round(min(0.0, read + 1 - started_at.timestamp()), 1)


def read_port_range(sections: Sections) -> tuple[int, int] | None:
    """Return ip_local_port_range, None when it was not read or makes no sense."""
    return _read_port_range(sections.get("ip_local_port_range"))


@read_once()
def _read_port_range(section: Section | None) -> tuple[int, int] | None:
    words = _strip(section).split()
    if len(words) != 2 or not all(word.isdigit() and len(word) <= 5 for word in words):
        return None
    low, high = int(words[0]), int(words[1])
    return (low, high) if 0 < low <= high < 65536 else None


def read_ephemeral(sections: Sections) -> EphemeralPorts | None:
    """Return the ports the kernel hands to clients. None when the range or what is reserved in it is not known: then
    no socket is taken for a client."""
    ports = read_port_range(sections)
    section = sections.get("ip_local_reserved_ports")
    if ports is None or section is None or section.status != "ok":
        return None
    reserved: list[range] = []
    for word in section.data.strip().split(b","):
        match = _SPAN.fullmatch(word)
        if match:
            reserved.append(range(int(match[1]), int(match[2] or match[1]) + 1))
        elif word:
            return None
    return EphemeralPorts(*ports, reserved=tuple(reserved))


def _show(text: bytes) -> str | None:
    """Return bytes of any kind as text that JSON can hold; None for nothing."""
    return text[:_SHOWN].decode("utf-8", "backslashreplace") or None
