"""The ssh transport: a host and a script in, a transcript out, within the host's timeout whatever the far side does.

The steps have a file each: `ssh_keys` (credentials), `ssh_dial` (dns, tcp), `ssh_banner` (banner), `ssh_connection`
(kex, hostkey), `ssh_auth` (auth), `ssh_channel` (exec, read). This file puts them in order. On the way there may be
jump hosts (`ssh_route`, `ssh_bastion`) or a ProxyCommand (`ssh_proxy`).
"""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from auditor.errors import Problem, TransportError
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.model.transcript import Session, Transcript
from auditor.transport import MEBIBYTE, Limits, Script
from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.host_keys import HostKeys, WrongKeyTypeError
from auditor.transport.loop import blocking, pause
from auditor.transport.ssh_auth import log_in, withhold_passwords
from auditor.transport.ssh_bastion import Bastions
from auditor.transport.ssh_breaker import Breaker
from auditor.transport.ssh_channel import Answer, Plan, run_script
from auditor.transport.ssh_connection import AUTH_S, connect
from auditor.transport.ssh_dial import Resolver, dial
from auditor.transport.ssh_engine import find_obstacle
from auditor.transport.ssh_keys import KeyRing
from auditor.transport.ssh_line import Line, Link, Straight, explaining
from auditor.transport.ssh_protocol import quiet_paramiko
from auditor.transport.ssh_proxy import Proxies
from auditor.transport.ssh_route import MOST_HOPS, expand_route
from auditor.transport.ssh_wire import Lifeline
from auditor.transport.timeline import step

DNS_S, TCP_S = 5.0, 10.0
_MOST_RETRIES = 3
_KEEPALIVE_S = 30
_OVERHEAD = 16 * MEBIBYTE
"""What a connection may carry beside the output that is kept: packet headers, discarded errors, other messages."""


class SshTransport:
    """Runs scripts over SSH. One instance serves a whole run, from any number of threads; `close` it at the end.

    `known_hosts` are the files for hosts that name none; `jump_hosts` are hosts by name; `clock` gives UTC.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        jump_hosts: Mapping[str, Host] | None = None,
        known_hosts: Sequence[str] | None = None,
        host_keys: HostKeys | None = None,
        limits: Limits | None = None,
    ) -> None:
        quiet_paramiko()
        self._clock = clock
        self._jump_hosts = jump_hosts or {}
        self._host_keys = host_keys or HostKeys(known_hosts)
        self._limits = limits or Limits()
        self._watchdog = Watchdog()
        self._resolver = Resolver()
        self._keys = KeyRing()
        self._breaker = Breaker()
        self._allowance = self._limits.stdout + _OVERHEAD
        self._bastions = Bastions(self._enter_jump, self._watchdog, self._limits.stdout + MOST_HOPS * _OVERHEAD)
        self._proxies = Proxies()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Lines of the known_hosts files read so far that could not be understood; a paramiko that is not known."""
        obstacle = find_obstacle()
        slower = f"{obstacle}: connections go by its public interface, which is slower"
        return (*self._host_keys.warnings, *([Problem("paramiko", 0, 0, slower)] if obstacle else []))

    def close(self) -> None:
        """Hang up on the jump hosts, let go of the ssh agent, and see new host keys to the disk."""
        self._bastions.close()
        self._proxies.close()
        self._keys.close()
        self._host_keys.close()

    def __enter__(self) -> "SshTransport":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        if find_obstacle() or not is_driven(host):
            return blocking(partial(self._run, host, script))
        return self._run(host, script)

    def _run(self, host: Host, script: Script) -> Transcript:
        started_at = self._clock()
        deadline = Deadline(host.timeout)
        *jumps, _ = expand_route(host, self._jump_hosts)
        plan = Plan(script, self._keys.sudo_password(host))
        try:
            session, answer = self._collect(jumps, host, deadline, plan)
        except TransportError as error:
            if not plan.backfired(error):
                raise
            session, answer = self._collect(jumps, host, deadline, plan)
        return Transcript(
            nonce=script.nonce,
            stdout=answer.stdout,
            stderr=answer.stderr,
            exit_status=answer.exit_status,
            cut=answer.cut,
            started_at=started_at,
            finished_at=self._clock(),
            session=session,
        )

    def _collect(self, jumps: Sequence[Host], host: Host, deadline: Deadline, plan: Plan) -> tuple[Session, Answer]:
        """Connect, log in and run the script, once."""
        lifeline = Lifeline(self._watchdog)
        with lifeline.guard(deadline):
            link = self._enter(jumps, host, lifeline, deadline, plan)
            try:
                with explaining(link.line):
                    connection = link.connection
                    answer = run_script(connection, plan.script, plan.prompt, self._limits, lifeline, deadline)
                    return connection.session, answer
            finally:
                link.close()

    def _enter_jump(self, jumps: Sequence[Host], host: Host, deadline: Deadline) -> Link:
        """Connect to a jump host and log in, for many."""
        lifeline = Lifeline(self._watchdog)
        with lifeline.guard(deadline):
            link = self._enter(jumps, host, lifeline, deadline, None)
        link.connection.engine.set_keepalive(_KEEPALIVE_S)  # it may have nothing to do for a while
        return link

    def _enter(
        self, jumps: Sequence[Host], host: Host, lifeline: Lifeline, deadline: Deadline, plan: Plan | None
    ) -> Link:
        """Connect to one host, through `jumps`, and log in. What is wrong on our side (auth) is found out first.

        `plan`: what is going to be run there; None for a jump host, which many will use.
        """
        if host.user is None:
            hint = "set `user:` for the host, its group or under defaults"
            raise TransportError("auth", "user-missing", f"no user to log in to {host.name} as", hint)
        credentials = self._breaker.admit(host.user, self._keys.credentials(host))
        link = self._connect(jumps, host, lifeline, deadline, shared=plan is None)
        connection = link.connection
        limit = deadline.within(AUTH_S)
        if plan is not None:
            plan.lay_before(connection)
        try:
            with explaining(link.line), step("auth", host) as note, lifeline.guard(limit):
                credentials = withhold_passwords(credentials, connection)
                note(log_in(connection.engine, host.user, credentials, self._breaker, limit))
        except BaseException:
            link.close()
            raise
        connection.engine.seen.budget += self._allowance
        return link

    def _connect(
        self, jumps: Sequence[Host], host: Host, lifeline: Lifeline, deadline: Deadline, *, shared: bool
    ) -> Link:
        """Connect to one host; when the server says it is busy, again after a pause."""
        check = self._host_keys.check_for(host)
        for attempt in itertools.count():
            line, address = self._reach(jumps, host, deadline)
            lifeline.attach(line.stream)
            try:
                with explaining(line):
                    connection = connect(host, line.stream, address, check, deadline, shared=shared)
            except TransportError as error:
                line.close()
                seconds = _pause_before_retry(error, attempt)
                if seconds is None or seconds >= deadline.left():
                    raise
            except BaseException:
                line.close()
                raise
            else:
                return Link(connection, line, lifeline)
            pause(seconds)
        raise AssertionError("unreachable")

    def _reach(self, jumps: Sequence[Host], host: Host, deadline: Deadline) -> tuple[Line, str]:
        """Return a line to the host's port and the address it leads to, as far as we can know it."""
        limit_s = TCP_S if host.ssh.connect_timeout is None else host.ssh.connect_timeout
        if jumps:
            via = self._bastions.reach(jumps, deadline)
            with step("tcp", host) as note:
                note(f"{join_port(host.address, host.port)} through {via.connection.host.name}")
                return self._bastions.open(via, host, deadline.within(limit_s), deadline), host.address
        if host.ssh.proxy_command is not None:
            with step("tcp", host) as note:
                note(f"through {host.ssh.proxy_command}")
                return self._proxies.start(host.ssh.proxy_command), host.address
        with step("dns", host) as note:
            family = host.ssh.address_family
            endpoints = self._resolver.resolve(host.address, host.port, deadline.within(DNS_S), family)
            note(", ".join(endpoint.sockaddr[0] for endpoint in endpoints))
        with step("tcp", host) as note:
            sock, endpoint = dial(endpoints, deadline.within(limit_s), host.ssh.bind_address)
            note(str(endpoint))
        return Straight(sock), endpoint.sockaddr[0]


def is_driven(host: Host) -> bool:
    """Return whether a host is waited for by its socket: jump hosts' channels and ProxyCommands take a thread each."""
    return not host.jump and host.ssh.proxy_command is None


def _pause_before_retry(error: TransportError, attempt: int) -> float | None:
    """Return how many seconds to wait before the next try; None when there is none."""
    if attempt == _MOST_RETRIES:
        return None
    if isinstance(error, WrongKeyTypeError):
        return 0.0  # the type that is on file is known now, and asked for first
    if error.code != "throttled":
        return None
    return random.uniform(0.5, 1.5) * (1 << attempt)  # noqa: S311  # spreads retries, guards nothing
