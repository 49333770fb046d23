"""The ssh transport: a host and a script in, a transcript out, within the host's timeout whatever the far side does.

The steps have a file each: `ssh_keys` (credentials), `ssh_dial` (dns, tcp), `ssh_banner` (banner), `ssh_connection`
(kex, hostkey), `ssh_auth` (auth), `ssh_channel` (exec, read). This file puts them in order and goes through jump hosts.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import paramiko

from auditor.display import escape
from auditor.errors import Problem, TransportError
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.model.transcript import Transcript
from auditor.transport import MEBIBYTE, Limits, Script
from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.known_hosts import DEFAULT_FILES, KnownHosts, load_known_hosts
from auditor.transport.secret import PasswordPrompt
from auditor.transport.ssh_auth import log_in
from auditor.transport.ssh_breaker import Breaker
from auditor.transport.ssh_channel import run_script
from auditor.transport.ssh_connection import AUTH_S, Connection, connect
from auditor.transport.ssh_dial import Resolver, dial
from auditor.transport.ssh_keys import Credential, KeyRing
from auditor.transport.ssh_protocol import quiet_paramiko
from auditor.transport.ssh_wire import Lifeline, Stream

DNS_S, TCP_S = 5.0, 10.0
_MOST_RETRIES = 3
_MOST_HOPS = 8
_OVERHEAD = 16 * MEBIBYTE
"""What a connection may carry beside the output that is kept: packet headers, discarded errors, other messages."""


class SshTransport:
    """Runs scripts over SSH. One instance serves a whole run, from any number of threads; `close` it at the end.

    `known_hosts` are the files for hosts that name none; `jump_hosts` the inventory's hosts by name; `clock` gives UTC.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        jump_hosts: Mapping[str, Host] | None = None,
        known_hosts: Sequence[str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        quiet_paramiko()
        self._clock = clock
        self._jump_hosts = jump_hosts or {}
        self._known_hosts = None if known_hosts is None else tuple(known_hosts)
        self._limits = limits or Limits()
        self._watchdog = Watchdog()
        self._resolver = Resolver()
        self._keys = KeyRing()
        self._breaker = Breaker()
        self._indexes: dict[tuple[str, ...], KnownHosts | TransportError] = {}
        self._indexes_lock = threading.Lock()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Lines of the known_hosts files read so far that could not be understood."""
        with self._indexes_lock:
            indexes = [index for index in self._indexes.values() if isinstance(index, KnownHosts)]
        return tuple(sorted({problem for index in indexes for problem in index.warnings}))

    def close(self) -> None:
        """Let go of the ssh agent."""
        self._keys.close()

    def __enter__(self) -> "SshTransport":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        started_at = self._clock()
        deadline = Deadline(host.timeout)
        route = [self._prepare(hop) for hop in expand_route(host, self._jump_hosts)]
        prompt = PasswordPrompt(script.prompt, self._keys.sudo_password(host))
        lifeline = Lifeline(self._watchdog)
        with lifeline.guard(deadline), ExitStack() as connections:
            try:
                connection = self._follow(route, lifeline, deadline, connections)
                answer = run_script(connection, script, prompt, self._limits, lifeline, deadline)
            finally:
                lifeline.cut()  # before the connections are closed: nothing is left to wait for then
        return Transcript(
            nonce=script.nonce,
            stdout=answer.stdout,
            stderr=answer.stderr,
            exit_status=answer.exit_status,
            cut=answer.cut,
            started_at=started_at,
            finished_at=self._clock(),
            session=connection.session,
        )

    def _prepare(self, host: Host) -> "_Stop":
        """Gather what logs in to a host. Raises TransportError (auth) for what is wrong on our side."""
        if host.user is None:
            hint = "set `user:` for the host, its group or under defaults"
            raise TransportError("auth", "user-missing", f"no user to log in to {host.name} as", hint)
        credentials = self._breaker.admit(host.user, self._keys.credentials(host))
        return _Stop(host, host.user, credentials)

    def _follow(
        self, route: Sequence["_Stop"], lifeline: Lifeline, deadline: Deadline, connections: ExitStack
    ) -> Connection:
        """Connect and log in along the route, each stop through the one before; return the last connection."""
        *jumps, target = route
        connection = None
        for jump in jumps:
            try:
                connection = self._enter(jump, connection, lifeline, deadline)
            except TransportError as error:
                raise _jump_failed(jump.host, error) from error
            connections.callback(connection.close)
        connection = self._enter(target, connection, lifeline, deadline, last=True)
        connections.callback(connection.close)
        return connection

    def _enter(
        self, stop: "_Stop", via: Connection | None, lifeline: Lifeline, deadline: Deadline, *, last: bool = False
    ) -> Connection:
        """Connect to one host and log in."""
        connection = self._connect(stop.host, via, lifeline, deadline)
        step = deadline.within(AUTH_S)
        try:
            with lifeline.guard(step):
                log_in(connection.engine, stop.user, stop.credentials, self._breaker, step)
        except BaseException:
            connection.close()
            raise
        # A jump host carries everything its guests may send, and the packets around that.
        connection.engine.seen.budget = self._limits.stdout + _OVERHEAD * (1 if last else _MOST_HOPS)
        return connection

    def _connect(self, host: Host, via: Connection | None, lifeline: Lifeline, deadline: Deadline) -> Connection:
        """Connect to one host; when the server says it is busy, again after a pause."""
        known = self._known_hosts_of(host)
        for attempt in itertools.count():
            stream, address = self._reach(host, via, lifeline, deadline)
            try:
                return connect(host, stream, address, known, deadline)
            except TransportError as error:
                pause = random.uniform(0.5, 1.5) * 2**attempt  # noqa: S311  # spreads retries, guards nothing
                if error.code != "throttled" or attempt == _MOST_RETRIES or pause >= deadline.left():
                    raise
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _reach(self, host: Host, via: Connection | None, lifeline: Lifeline, deadline: Deadline) -> tuple[Stream, str]:
        """Return a stream to the host's port and the address it leads to, as far as we can know it."""
        if via is not None:
            step = deadline.within(TCP_S)
            with lifeline.guard(step):
                return _tunnel(host, via, step), host.address
        endpoints = self._resolver.resolve(host.address, host.port, deadline.within(DNS_S))
        sock, endpoint = dial(endpoints, deadline.within(TCP_S))
        lifeline.attach(sock)
        return sock, endpoint.sockaddr[0]

    def _known_hosts_of(self, host: Host) -> KnownHosts:
        """Return the index of the files that decide for `host`; each set of files is read once per run."""
        paths = host.known_hosts or self._known_hosts
        with self._indexes_lock:
            index = self._indexes.get(paths or DEFAULT_FILES)
            if index is None:
                try:
                    index = load_known_hosts(paths or DEFAULT_FILES, optional=paths is None)
                except TransportError as error:
                    index = error
                self._indexes[paths or DEFAULT_FILES] = index
        if isinstance(index, TransportError):
            raise TransportError(index.phase, index.code, index.message, index.hint)
        return index


@dataclass(frozen=True, slots=True)
class _Stop:
    """A host on the way, and what logs in there."""

    host: Host
    user: str
    credentials: tuple[Credential, ...]


def expand_route(host: Host, jump_hosts: Mapping[str, Host]) -> tuple[Host, ...]:
    """Return the hosts to connect to, in order, `host` last.

    As with `ssh -J a,b`: `b` is reached through `a` whatever its own `jump` says, `a` as its own `jump` says.
    Raises TransportError (tcp): an unknown jump host, one that is not reached by ssh, or a loop.
    """
    route = [host]
    pending = host.jump
    while pending:
        hops = []
        for name in pending:
            hop = jump_hosts.get(name)
            if hop is None or hop.connection != "ssh":
                what = "is not in the inventory" if hop is None else f"has connection {hop.connection}"
                message = f"the jump host {escape(name)} {what}"
                raise TransportError(
                    "tcp", "jump-failed", message, "list it under hosts, with the default connection ssh"
                )
            hops.append(hop)
        route = hops + route
        names = [stop.name for stop in route]
        if len(set(names)) < len(names) or len(names) > _MOST_HOPS:
            way = " > ".join(names)
            raise TransportError("tcp", "jump-failed", f"the jump hosts form a loop or too long a chain: {way}")
        pending = hops[0].jump
    return tuple(route)


def _tunnel(host: Host, via: Connection, deadline: Deadline) -> Stream:
    """Return a channel through `via` to the host's port. Raises TransportError (tcp, jump-failed)."""
    where = join_port(host.address, host.port)
    try:
        return via.engine.open_channel("direct-tcpip", (host.address, host.port), ("127.0.0.1", 0))
    except paramiko.ChannelException as error:
        forbidden = error.code == 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 §5.1
        hint = "check AllowTcpForwarding and PermitOpen on the jump host" if forbidden else "check the host's address"
        message = f"the jump host {via.host.name} cannot connect to {where}: {escape(error.text, 200)}"
        raise TransportError("tcp", "jump-failed", message, hint) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        message = f"the jump host {via.host.name} gave no connection to {where} within {deadline.seconds:.3g} s"
        raise TransportError("tcp", "jump-failed", message, "check that the jump host can reach it") from error


def _jump_failed(jump: Host, error: TransportError) -> TransportError:
    if error.code == "jump-failed":
        return error
    message = f"the jump host {jump.name} failed: {error.message} ({error.code})"
    return TransportError(error.phase, "jump-failed", message, error.hint)
