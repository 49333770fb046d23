"""A listener as a person writes it, `tcp 0.0.0.0:443 nginx`, in; a `Listener` out.

    PROTO ADDRESS:PORT [PROCESS] [WORD…]
    udp [::]:53 unbound user=unbound        sctp 10.0.0.5:2905
    tcp [::]:80 v6only                      packet *:3

What is not written was not seen: without a process (or `user=`, `unit=` …) the owner is not known. `queue=` is how many
connections wait to be accepted.
"""

import re
from ipaddress import ip_address
from typing import Any, get_args

from auditor.document import mistake, suggest
from auditor.model.address import classify_scope, family_of, unmap
from auditor.model.facts import PROTOS, Listener, OwnerStatus, Proto

SYNTAX = "write for example tcp 0.0.0.0:443 nginx, or udp [::]:53"
_PLACE = re.compile(r"(?P<address>\[[^\[\]]+\]|[^\s\[\]:]+):(?P<port>[0-9]{1,5})", re.ASCII)
_OWNER_KEYS = ("process", "exe", "user", "uid", "unit", "container", "owner", "netns", "sockets", "queue")
_FLAGS = ("v6only", "ephemeral")


def parse_listener(text: str) -> Listener:
    """Return the listener `text` stands for. Raises a mistake that says what to write instead."""
    proto_word, _, rest = text.strip().partition(" ")
    place_word, _, rest = rest.strip().partition(" ")
    proto = next((proto for proto in PROTOS if proto == proto_word), None)
    if proto is None:
        raise mistake(f"{proto_word!r} is not a protocol", suggest(proto_word, PROTOS) or SYNTAX)
    fields = {"proto": proto, "raw": text.strip(), **_read_place(proto, place_word)}
    for position, word in enumerate(rest.split()):
        _read_word(word, position, fields)
    return _finish(fields)


def _read_place(proto: Proto, text: str) -> dict[str, Any]:
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise mistake(f"{text!r} is not an address and a port", SYNTAX)
    port = int(found["port"])
    bare = found["address"].strip("[]")
    if proto == "packet":  # as /proc/net/packet has it: an interface for an address, a frame type for a port
        return {"family": None, "address": bare, "scope": "wildcard", "port": port}
    if bare == "*":
        raise mistake("* is one address to some programs and two to others", "write 0.0.0.0, or [::], or both")
    try:
        address = unmap(ip_address(bare))
    except ValueError:
        raise mistake(f"{bare!r} is not an IP address", SYNTAX) from None
    if address.version == 6 and not found["address"].startswith("["):
        raise mistake(f"{text!r} is ambiguous", f"write [{bare}]:{port}")
    family, scope = family_of(address), classify_scope(address)
    dual_stack = "yes" if str(address) == "::" else None
    return {"family": family, "address": str(address), "scope": scope, "port": port, "dual_stack": dual_stack}


def _read_word(word: str, position: int, fields: dict[str, Any]) -> None:
    key, equals, value = word.partition("=")
    if not equals and word == "v6only":
        if fields["address"] != "::":
            raise mistake("v6only is said of [::] only", "remove it")
        fields["dual_stack"] = "no"
    elif not equals and word == "ephemeral":
        if fields["proto"] != "udp":
            raise mistake("ephemeral is said of UDP only", "remove it")
        fields["kind"] = "ephemeral-udp"
    elif not equals and position == 0:
        fields["process"] = word
    elif key in _OWNER_KEYS and equals and value:
        fields[key] = value
    else:
        known = ", ".join((*(f"{name}=…" for name in _OWNER_KEYS), *_FLAGS))
        raise mistake(f"{word!r} says nothing here", suggest(key, (*_OWNER_KEYS, *_FLAGS)) or f"known are {known}")


def _finish(fields: dict[str, Any]) -> Listener:
    process = {name: fields.pop(name, None) for name in ("process", "exe", "unit", "container")}
    status = fields.pop("owner", None)
    if status is not None and status not in get_args(OwnerStatus):
        raise mistake(f"unknown owner {status!r}", f"known are {', '.join(get_args(OwnerStatus))}")
    for number in ("uid", "sockets", "queue"):
        if number in fields:
            fields[number] = _read_number(number, fields[number])
    if "queue" in fields:
        fields["pending_accepts"] = fields.pop("queue")
    if any(process.values()):
        comm = process.pop("process")
        fields["owners"] = ({"pid": 1000, "comm": comm, **process},)
        fields["owner_status"] = "known"
    elif "user" in fields or "uid" in fields:
        fields["owner_status"] = "unprivileged"  # the kernel's table has the uid even where processes are not shown
    if status is not None:
        fields["owner_status"] = status
    return Listener.model_validate(fields)


def _read_number(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text, re.ASCII):
        raise mistake(f"{name}={text} is not a number", "")
    return int(text)
