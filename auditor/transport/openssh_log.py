"""What the system's ssh wrote into its log (`-E`, at DEBUG1) in, how far it came and why it went no further out.

The log is ssh's own: what the host prints goes elsewhere, and the host's words within a line are escaped by ssh. The
wording is OpenSSH's in the C locale, as sshconnect.c, sshconnect2.c, packet.c and kex.c have it.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from auditor.display import escape
from auditor.errors import Phase, TransportError
from auditor.model.host import HostKeyTrust
from auditor.model.transcript import Session

_STEPS: tuple[tuple[Phase, str, str], ...] = (
    ("dns", "dns-timeout", r"(?:)"),
    ("tcp", "tcp-timeout", r"Connecting to |Executing proxy command|Executing proxy"),
    ("banner", "banner-timeout", r"Connection established|Local version string"),
    ("kex", "kex-timeout", r"Remote protocol version"),
    ("auth", "auth-timeout", r"Host .* is known and matches|SSH2_MSG_NEWKEYS received|rekey in after"),
    ("read", "read-timeout", r"Authenticated to "),
)
"""What the log says when a step begins, and the code of a host that takes too long for it."""

_CAUSES: tuple[tuple[str, Phase, str, str], ...] = (
    (r"Could not resolve hostname .*Temporary failure", "dns", "dns-temporary", "try again"),
    (r"Could not resolve hostname", "dns", "dns-not-found", "check the name, and /etc/resolv.conf"),
    (r"timed out during banner exchange", "banner", "banner-timeout", "it accepts connections and says nothing"),
    (r"connect to .*: Connection refused", "tcp", "tcp-refused", "check the port, and that sshd runs"),
    (r"connect to .*: (?:Connection|Operation) timed out", "tcp", "tcp-timeout", "the host is down, or a firewall"),
    (r"connect to .*(?:No route|unreachable)", "tcp", "tcp-unreachable", "check the address, and the route"),
    (r"(?:stdio forwarding failed|channel \d+: open failed)", "tcp", "jump-failed", "check the jump host"),
    (r"banner line \d+: Exceeded MaxStartups", "banner", "throttled", "raise MaxStartups, or run with fewer jobs"),
    (r"banner line \d+: Not allowed at this time", "banner", "penalised", "wait, then correct what earned penalties"),
    (r"kex_exchange_identification: (?:banner line|.*invalid)|Protocol major", "banner", "not-ssh", "check the port"),
    (r"kex_exchange_identification: ", "banner", "closed-before-banner", "look at the server's log"),
    (r"Unable to negotiate with|no matching .* found", "kex", "no-common-algorithms", "see KexAlgorithms and the like"),
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "hostkey", "hostkey-mismatch", "somebody else may be answering"),
    (r"REVOKED HOST KEY|revoked by file|was revoked", "hostkey", "hostkey-revoked", "somebody else may be answering"),
    (r"Error checking host key .* revoked keys file", "hostkey", "revoked-keys-unreadable", "see RevokedHostKeys"),
    (r"Certificate invalid: |Certificate .*unsupported|disallowed algorithm", "hostkey", "hostkey-certificate",
     "have its authority sign the host's key anew"),
    (r"No .* host key is known for", "hostkey", "hostkey-unknown", "verify its key, then add it to known_hosts"),
    (r"Host key verification failed", "hostkey", "hostkey-unknown", "verify its key, then add it to known_hosts"),
    (r"Too many authentication failures", "auth", "auth-closed", "too many keys: set IdentitiesOnly"),
    (r"Permission denied \(|No more authentication methods", "auth", "auth-refused", "the server's log says why"),
    (r"administratively prohibited|request failed on channel", "exec", "exec-refused", "check MaxSessions"),
)  # fmt: skip

_CHATTER = ("debug", "OpenSSH_", "Authenticated to", "Transferred:", "Bytes per second", "Warning: Permanently", "@@@")
_TRUST: Mapping[str, HostKeyTrust] = {"key": "known", "certificate": "certificate"}
_SESSION = {
    "address": r"Connecting to \S+ \[([^\]]{1,80})\] port",
    "host_key": r"Server host (?:key|certificate): (\S{1,80} SHA256:\S{43})",
    "kex": r"kex: algorithm: (\S{1,80})",
    "cipher": r"kex: server->client cipher: (\S{1,80})",
    "server_version": r"Remote protocol version \S+, remote software version (.{1,255})",
}


class Account(NamedTuple):
    """A log in parts: the lines, and those of them that are not mere debugging."""

    lines: tuple[str, ...]
    errors: tuple[str, ...]


def read_log(log: bytes) -> Account:
    """Return a log's lines, safe to show."""
    lines = tuple(escape(line, 400) for line in log.decode("utf-8", "surrogateescape").splitlines() if line.strip())
    return Account(lines, tuple(line for line in lines if not line.startswith(_CHATTER)))


def describe_session(log: Account, *, ignored: bool, accepted: str) -> Session:
    """Return how the connection was made. `accepted`: the file of keys taken on trust at first use."""
    found = {name: _search(pattern, log) for name, pattern in _SESSION.items()}
    if found["server_version"] is not None:
        found["server_version"] = f"SSH-2.0-{found['server_version']}"
    return Session.model_validate({**found, "host_key_trust": _read_trust(log, ignored, accepted)})


def _read_trust(log: Account, ignored: bool, accepted: str) -> HostKeyTrust | None:
    text = "\n".join(log.lines)
    if not ignored and (f"key in {accepted}:" in text or "Warning: Permanently added" in text):
        return "accepted"
    known = re.search(r"^debug1: Host .* is known and matches the \S+ host (key|certificate)\.$", text, re.MULTILINE)
    if known:
        return _TRUST[known[1]]
    return "ignored" if ignored else None


def _search(pattern: str, log: Account) -> str | None:
    for line in log.lines:
        if found := re.match(rf"debug1: {pattern}", line):
            return found[1]
    return None


def has_session(log: Account) -> bool:
    """Return whether somebody was logged in."""
    return any(line.startswith(("debug1: Authenticated to ", "Authenticated to ")) for line in log.lines)


def explain_end(log: Account, stderr: bytes) -> TransportError:
    """Return why ssh ended by itself before the script could print anything."""
    errors = log.errors or read_log(stderr[:4096]).errors
    for pattern, phase, code, hint in _CAUSES:
        found = next((line for line in (*errors, *log.lines) if re.search(pattern, line)), None)
        if found is not None:
            detail = _say_key(log) if phase == "hostkey" else ""
            return TransportError(phase, code, f'{_WORDS[phase]}: ssh says "{_undebug(found)}"{detail}', hint)
    phase, _, _ = _reached(log)
    said = f': ssh says "{errors[-1]}"' if errors else ""
    if phase == "read":
        return TransportError("read", "connection-lost", f"the connection was lost{said}", "look at the server's log")
    ends: dict[Phase, str] = {"auth": "auth-closed", "kex": "kex-closed", "banner": "closed-before-banner"}
    return TransportError(phase, ends.get(phase, "openssh-failed"), f"{_WORDS[phase]}{said}", "try `ssh` by hand")


def _say_key(log: Account) -> str:
    """Return which key the host showed, and where another one stands."""
    shown = _search(_SESSION["host_key"], log)
    offending = [line for line in log.lines if line.startswith("Offending ")]
    return "".join(f"; {part}" for part in (*([f"it shows {shown}"] if shown else []), *offending[:2]))


def _undebug(line: str) -> str:
    return re.sub(r"^debug\d: ", "", line)


_WORDS: dict[Phase, str] = {
    "dns": "ssh did not get to the host",
    "tcp": "ssh cannot connect",
    "banner": "the server does not introduce itself",
    "kex": "the key exchange failed",
    "hostkey": "ssh does not trust the host's key",
    "auth": "the login failed",
    "exec": "the server does not run a command",
    "read": "the connection failed",
}


def explain_timeout(log: Account, seconds: float) -> TransportError:
    """Return which step took the host's time, when nothing was printed by its end."""
    phase, code, _ = _reached(log)
    return TransportError(phase, code, f"{_WORDS[phase]} within {seconds:.3g} s", "try `ssh` by hand")


def _reached(log: Account) -> tuple[Phase, str, str]:
    """Return the last step that began."""
    text = "\n".join(log.lines)
    return next(step for step in reversed(_STEPS) if re.search(rf"(?:^|: ){step[2]}", text, re.MULTILINE))
