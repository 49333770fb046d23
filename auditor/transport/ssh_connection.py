"""A dialled stream in, a verified and logged-in SSH connection out.

The order is the promise: version lines, key exchange, host key check, and only then a login.
"""

from dataclasses import dataclass

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from auditor.display import escape
from auditor.errors import TransportError
from auditor.model.host import Host
from auditor.model.transcript import Session
from auditor.transport.deadline import Deadline
from auditor.transport.host_keys import HostKeyCheck
from auditor.transport.public_key import fingerprint
from auditor.transport.ssh_banner import exchange_versions
from auditor.transport.ssh_engine import DrivenEngine, find_obstacle
from auditor.transport.ssh_protocol import Engine, agree, explain_disagreement, read_offer
from auditor.transport.ssh_shared import SharedEngine
from auditor.transport.ssh_wire import Stream, Wire, close
from auditor.transport.timeline import step

BANNER_S, KEX_S, AUTH_S = 15.0, 20.0, 30.0
_THREAD_END_S = 0.5


@dataclass(frozen=True, slots=True)
class Connection:
    """A running SSH connection and what is known about it."""

    host: Host
    engine: Engine
    wire: Wire
    session: Session
    passwords: bool = True
    """Whether the host may be given any."""

    def close(self) -> None:
        """End paramiko's thread and release the stream, whatever state the connection is in."""
        _stop(self.engine, self.wire)


def connect(
    host: Host, stream: Stream, address: str, check: HostKeyCheck, deadline: Deadline, *, shared: bool = False
) -> Connection:
    """Return a connection whose host key was verified; nobody is logged in yet.

    `shared`: a jump host's, whose channels other threads use at the same time, so a thread of its own must read it.
    Takes over `stream`, also when it fails. Raises TransportError (banner, kex, hostkey).
    """
    try:
        wire = Wire(stream)
        kind = SharedEngine if shared else Engine if find_obstacle() else DrivenEngine
        engine = kind(wire, check.choose_algorithms())
        with step("banner", host) as note:
            greeting = exchange_versions(wire, engine.hello(), deadline.within(BANNER_S))
            note(escape(greeting.version, 255))
        engine.greet(greeting)
    except BaseException:
        close(stream)
        raise
    try:
        with step("kex", host) as note:
            _exchange_keys(engine, deadline.within(KEX_S))
            key = _server_key(engine)
            session = _describe(engine, key, address, greeting.version)
            note(f"{session.kex}, {session.cipher}")
        with step("hostkey", host) as note:
            note(f"{session.host_key}")
            admission = check.admit(key)
            note(admission.trust)
    except BaseException:
        _stop(engine, wire)
        raise
    session = session.model_copy(update={"host_key_trust": admission.trust})
    return Connection(host, engine, wire, session, admission.passwords)


def _describe(engine: Engine, key: paramiko.PKey, address: str, version: str) -> Session:
    offer = read_offer(engine.seen.kexinit)
    return Session(
        address=address,
        host_key=f"{key.get_name()} {fingerprint(key.asbytes())}",
        kex=agree(engine.algorithms.kex, offer.kex),
        cipher=agree(engine.algorithms.ciphers, offer.ciphers),
        server_version=escape(version, 255),
    )


def _stop(engine: Engine, wire: Wire) -> None:
    engine.close()
    wire.close()
    if engine.is_alive():
        engine.join(_THREAD_END_S)
    wire.dispose()


def _exchange_keys(engine: Engine, deadline: Deadline) -> None:
    try:
        finished = engine.exchange_keys(deadline)
    except RuntimeError as limit:  # threading's word for the process or memory limit
        message = f"this machine cannot start another thread: {limit}"
        raise TransportError("kex", "out-of-threads", message, "run with fewer jobs") from limit
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
    return explain_disagreement(read_offer(engine.seen.kexinit), engine.algorithms)


def _server_key(engine: Engine) -> paramiko.PKey:
    try:
        return engine.get_remote_server_key()
    except paramiko.SSHException as error:
        raise TransportError("kex", "kex-closed", "the server closed the connection after the key exchange") from error
