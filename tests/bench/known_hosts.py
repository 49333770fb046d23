"""What known_hosts costs a run: reading 10,000 lines, and judging 10,000 hosts against them, plain and hashed.

    python -m tests.bench.known_hosts [LINES]

Prints CPU seconds. Every host has a key of its own, as fleets have; the last column is the other case, hosts on no
line, where each hashed name has to be tried.
"""

import base64
import hmac
import os
import random
import sys
import time
from collections.abc import Sequence

from auditor.transport.known_hosts import KnownHosts, Shown, parse_known_hosts, place_of

HEAD = b"\0\0\0\x0bssh-ed25519\0\0\0 "
_UNKNOWN = 100


def make_keys(count: int) -> list[bytes]:
    return [HEAD + os.urandom(32) for _ in range(count)]


def write_lines(keys: Sequence[bytes], *, hashed: bool) -> str:
    lines = []
    for number, key in enumerate(keys):
        name = f"host-{number}.example.com"
        if hashed:
            salt = os.urandom(20)
            digest = hmac.digest(salt, name.encode(), "sha1")
            name = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
        lines.append(f"{name} ssh-ed25519 {base64.b64encode(key).decode()}\n")
    return "".join(lines)


def measure(count: int, *, hashed: bool) -> None:
    keys = make_keys(count)
    text = write_lines(keys, hashed=hashed)
    began = time.process_time()
    found, _ = parse_known_hosts(text, "known_hosts")
    known = KnownHosts(found)
    read = time.process_time() - began
    order = random.sample(range(count), count)
    began = time.process_time()
    for number in order:
        place = place_of(f"host-{number}.example.com", 22)
        known.key_types(place)
        assert known.judge(place, Shown(keys[number]), 0.0).trust == "trusted"  # a wrong answer has no speed
    judged = time.process_time() - began
    began = time.process_time()
    for number in range(_UNKNOWN):
        known.judge(place_of(f"stranger-{number}", 22), Shown(keys[0]), 0.0)
    strange = (time.process_time() - began) / _UNKNOWN
    kind = "hashed" if hashed else "plain"
    print(f"{kind:7} read {count} lines {read * 1000:7.1f} ms   judge {count} hosts {judged:6.2f} s", end="")
    print(f"   a host on no line {strange * 1000:6.2f} ms")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for hashed in (False, True):
        for _ in range(3):
            measure(count, hashed=hashed)


if __name__ == "__main__":
    main()
