"""`443/tcp` in, `Ports` out. The protocol is never implied: 53 over TCP and 53 over UDP are two services."""

import re

from pydantic_core import PydanticCustomError

from auditor.document import mistake, suggest
from auditor.model.address import Family
from auditor.model.facts import PROTOS, Proto
from auditor.model.policy import Ports

_SYNTAX = "write for example 443/tcp, 8000-8100/tcp or 53/udp"
_FAMILIES: dict[str, Family] = {"4": "ipv4", "6": "ipv6"}
_NUMBERED: dict[str, tuple[int, int, str]] = {
    "raw": (0, 255, "an IP protocol"),
    "packet": (0, 65535, "an Ethernet protocol"),
}
"""Sockets without ports: what stands in the place of the port, and from where to where."""
_PORT = (1, 65535, "a port")
_PINNED: dict[str, tuple[Proto, Family]] = {
    f"{proto}{digit}": (proto, family) for proto in PROTOS if proto != "packet" for digit, family in _FAMILIES.items()
}
_PROTOCOLS: dict[str, tuple[Proto, Family | None]] = {**{proto: (proto, None) for proto in PROTOS}, **_PINNED}


def parse_ports(text: str) -> Ports:
    """Return the ports `text` stands for. Raises a mistake that says what to write instead."""
    span, slash, protocol = text.strip().partition("/")
    if not slash:
        raise _without_protocol(text)
    if span in _PROTOCOLS and protocol[:1].isdigit():
        raise mistake(f"{text!r} is turned around", f"write {protocol}/{span}")
    proto, family = parse_protocol(protocol)
    first, last = _parse_span(span, protocol)
    return Ports(proto=proto, first=first, last=last, family=family)


def parse_protocol(protocol: str) -> tuple[Proto, Family | None]:
    """Return the protocol and the family it is pinned to. Raises a mistake for an unknown one."""
    if protocol not in _PROTOCOLS:
        lower = protocol.lower()
        known = f"known are {', '.join(PROTOS)}; all but packet with 4 or 6 behind for one family"
        hint = f"write {lower}" if lower in _PROTOCOLS else suggest(lower, _PROTOCOLS) or known
        raise mistake(f"unknown protocol {protocol!r}", hint)
    return _PROTOCOLS[protocol]


def _parse_span(span: str, protocol: str) -> tuple[int, int]:
    bounds = span.split("-") if not span.startswith("-") else [span]
    if "," in span:
        several = ", ".join(f"{part.strip()}/{protocol}" for part in span.split(","))
        raise mistake(f"{span!r} is more than one port", f"write ports: [{several}]")
    if len(bounds) == 1 and any(char.isalpha() for char in span) and not re.fullmatch("0[xX][0-9a-fA-F]+", span):
        raise mistake(f"{span!r} is a name, not a port number", f"write service: {span}/{protocol}")
    if len(bounds) > 2 or "" in bounds:
        raise mistake(f"{span!r} is not a port or a range of ports", _SYNTAX)
    numbers = [_parse_number(bound, _NUMBERED.get(protocol.rstrip("46"), _PORT)) for bound in bounds]
    first, last = numbers[0], numbers[-1]
    if first > last:
        raise mistake(f"the range {span} is empty: it begins after its end", f"write {last}-{first}/{protocol}")
    return first, last


def _parse_number(text: str, limits: tuple[int, int, str] = _PORT) -> int:
    lowest, highest, what = limits
    if re.fullmatch(r"0|[1-9][0-9]{0,8}", text, re.ASCII):
        number = int(text)
        if not lowest <= number <= highest:
            raise mistake(f"{number} is not {what}", f"{what} is a number from {lowest} to {highest}")
        return number
    if re.fullmatch(r"-[0-9]+", text, re.ASCII):
        raise mistake(f"{text} is not {what}", f"{what} is a number from {lowest} to {highest}")
    hexadecimal = re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text)
    meant = str(int(text, 16)) if hexadecimal else text.replace("_", "").lstrip("+0")
    if re.fullmatch(r"[0-9]{1,5}", meant, re.ASCII):
        raise mistake(f"{text!r} is not a plain number, and readers differ about it", f"write {meant}")
    raise mistake(f"{text!r} is not a port number", _SYNTAX)


def _without_protocol(text: str) -> PydanticCustomError:
    if text in _PROTOCOLS:
        return mistake(f"{text} is a protocol without a port", _SYNTAX)
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", text, re.ASCII):
        return mistake(f"{text!r} is a name, not a port number", f"write service: {text}")
    if re.fullmatch(r"[1-9][0-9]*(-[1-9][0-9]*)?", text, re.ASCII):
        return mistake(f"{text} without a protocol", f"write {text}/tcp, or {text}/udp")
    first, colon, _ = text.partition(":")
    if colon and first.isdecimal():
        message = f"{text} is neither a port nor a range, and YAML readers differ about it"
        return mistake(message, f"write {first}/tcp; a range is written 8000-8100/tcp")
    return _bare_number(text)


def _bare_number(text: str) -> PydanticCustomError:
    """Return what `text`, which has no protocol, would be told if it had one."""
    try:
        _parse_span(text, "tcp")
    except PydanticCustomError as error:
        return error
    return mistake(f"{text!r} is not a port", _SYNTAX)
