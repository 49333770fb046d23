"""A dialled stream in, a verified and logged-in SSH connection out.

The order is the promise: version lines, key exchange, host key check, and only then a login.
"""

import threading
from dataclasses import dataclass

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from auditor.display import escape
from auditor.errors import TransportError
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.model.transcript import Session
from auditor.transport.deadline import Deadline
from auditor.transport.known_hosts import KnownHosts, Ruling, fingerprint
from auditor.transport.ssh_banner import exchange_versions
from auditor.transport.ssh_protocol import CIPHERS, KEX, VERSION, Engine, agree, explain_disagreement, read_offer
from auditor.transport.ssh_wire import Stream, Wire, close

BANNER_S, KEX_S, AUTH_S = 15.0, 20.0, 30.0
_THREAD_END_S = 0.5


@dataclass(frozen=True, slots=True)
class Connection:
    """A running SSH connection and what is known about it."""

    host: Host
    engine: Engine
    wire: Wire
    session: Session

    def close(self) -> None:
        """End paramiko's thread and release the stream, whatever state the connection is in."""
        _stop(self.engine, self.wire)


def connect(host: Host, stream: Stream, address: str, known: KnownHosts, deadline: Deadline) -> Connection:
    """Return a connection whose host key was verified; nobody is logged in yet.

    Takes over `stream`, also when it fails. Raises TransportError (banner, kex, hostkey).
    """
    try:
        ours = f"{VERSION}\r\n".encode("ascii")
        greeting = exchange_versions(stream, ours, deadline.within(BANNER_S))
        wire = Wire(stream, ours, greeting.received)
        engine = Engine(wire, known.key_types(host.address, host.port))
    except BaseException:
        close(stream)
        raise
    try:
        _exchange_keys(engine, deadline.within(KEX_S))
        key = _server_key(engine)
        check_host_key(host, known, key)
    except BaseException:
        _stop(engine, wire)
        raise
    session = Session(
        address=address,
        host_key=f"{key.get_name()} {fingerprint(key.asbytes())}",
        kex=agree(
            [name for name in KEX if name in engine.get_security_options().kex], read_offer(engine.seen.kexinit).kex
        ),
        cipher=agree(CIPHERS, read_offer(engine.seen.kexinit).ciphers),
        server_version=escape(greeting.version, 255),
    )
    return Connection(host, engine, wire, session)


def _stop(engine: Engine, wire: Wire) -> None:
    engine.close()
    wire.close()
    if engine.is_alive():
        engine.join(_THREAD_END_S)
    wire.dispose()


def _exchange_keys(engine: Engine, deadline: Deadline) -> None:
    done = threading.Event()
    try:
        engine.start_client(event=done)
    except RuntimeError as limit:  # threading's word for the process or memory limit
        message = f"this machine cannot start another thread: {limit}"
        raise TransportError("kex", "out-of-threads", message, "run with fewer jobs") from limit
    finished = done.wait(deadline.left())
    if finished and engine.is_active():
        return
    error = engine.get_exception()
    if engine.seen.exhausted:
        raise TransportError(
            "kex", "kex-flood", "the server floods the key exchange with messages", "it is not an sshd"
        )
    timed_out = deadline.passed or not finished
    disagreement = _disagreement(engine)
    if disagreement or isinstance(error, IncompatiblePeer):
        hint = (
            "upgrade its sshd; algorithms with SHA-1, CBC or a prime of the server's choice are not spoken on purpose"
        )
        raise TransportError("kex", "no-common-algorithms", disagreement or escape(str(error), 200), hint)
    if timed_out:
        message = f"the key exchange was not finished within {deadline.seconds:.3g} s"
        raise TransportError(
            "kex", "kex-timeout", message, "the server hangs, or something on the way drops large packets"
        )
    said = engine.seen.disconnect
    if said or error is None or isinstance(error, EOFError | OSError):
        reason = f': it says "{said}"' if said else ""
        raise TransportError("kex", "kex-closed", f"the server ended the key exchange{reason}", "look at its log")
    raise TransportError("kex", "kex-failed", f"the key exchange failed: {escape(str(error), 200)}")


def _disagreement(engine: Engine) -> str:
    if not engine.seen.kexinit:
        return ""
    return explain_disagreement(read_offer(engine.seen.kexinit), engine.get_security_options().key_types)


def _server_key(engine: Engine) -> paramiko.PKey:
    try:
        return engine.get_remote_server_key()
    except paramiko.SSHException as error:
        raise TransportError("kex", "kex-closed", "the server closed the connection after the key exchange") from error


def check_host_key(host: Host, known: KnownHosts, key: paramiko.PKey) -> None:
    """Return when the key is known for the address that was dialled. Raises TransportError (hostkey) for all else."""
    ruling = known.judge(host.address, host.port, key.asbytes())
    shown = f"{key.get_name()} {fingerprint(key.asbytes())}"
    where = join_port(host.address, host.port)
    if ruling.trust == "unknown":
        raise _unknown_key(host, ruling, shown, where)
    lines = "; ".join(str(line) for line in ruling.lines[:4])
    if ruling.trust == "revoked":
        raise TransportError(
            "hostkey", "hostkey-revoked", f"{where} shows a revoked host key: {lines}",
            "somebody else may be answering: do not log in there; give the host a new key",
        )  # fmt: skip
    if ruling.trust == "mismatch":
        name = host.address if host.port == 22 else f"[{host.address}]:{host.port}"
        raise TransportError(
            "hostkey", "hostkey-mismatch", f"the host key of {where} changed: it shows {shown}, known is {lines}",
            f"somebody else may be answering. Only if the key was replaced on purpose: `ssh-keygen -R '{name}'` "
            "and add the new one",
        )  # fmt: skip


def _unknown_key(host: Host, ruling: Ruling, shown: str, where: str) -> TransportError:
    key_type = shown.split(" ", 1)[0].removeprefix("ssh-").split("-", 1)[0]
    into = host.known_hosts[0] if host.known_hosts else "~/.ssh/known_hosts"
    hint = (
        f"compare with `ssh-keygen -lf /etc/ssh/ssh_host_{key_type}_key.pub` on the host itself, "
        f"then `ssh-keyscan -p {host.port} -t {key_type} {host.address} >> {into}`"
    )
    if ruling.authorities:
        first = ruling.authorities[0]
        hint = f"certificate authorities ({first.file}:{first.line}) are not supported yet; {hint}"
    return TransportError("hostkey", "hostkey-unknown", f"no known key for {where}: it shows {shown}", hint)
