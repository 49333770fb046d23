"""A verified connection and credentials in, a logged-in connection out.

Each credential is tried exactly once, in order, and a refusal ends the matter for it: failed logins lock accounts and
earn penalties (PerSourcePenalties, sshd_config(5)). Nothing here may run before the host key was verified.
"""

import threading
from collections.abc import Sequence

import paramiko

from auditor.display import escape
from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_breaker import Breaker
from auditor.transport.ssh_connection import Connection
from auditor.transport.ssh_keys import Credential
from auditor.transport.ssh_protocol import Engine


def log_in(engine: Engine, user: str, credentials: Sequence[Credential], breaker: Breaker, deadline: Deadline) -> str:
    """Log in as `user`, while somebody watches the deadline: the wait for an answer has no end of its own.

    Return who logged in with what, for people to read. Raises TransportError (auth) with the reason of the last step
    that failed.
    """
    allowed: list[str] = []
    partial = False
    for credential in credentials:
        if credential.trouble or (allowed and not _fits(credential, allowed)):
            continue
        with breaker.trial(user, credential, deadline) as trial:
            try:
                more = _offer(engine, user, credential, deadline)
            except paramiko.BadAuthenticationType as error:
                allowed = list(error.allowed_types)  # the method is not offered: nothing is said about the credential
                continue
            except (paramiko.SSHException, EOFError, OSError) as error:
                _check_alive(engine, credential, error, deadline)
                trial.accepted = False
                continue
            trial.accepted = True
        if not more:
            return f"{user} with {credential.label}"
        allowed, partial = list(more), True
    raise _refused(user, credentials, allowed, partial=partial)


def withhold_passwords(credentials: Sequence[Credential], connection: Connection) -> tuple[Credential, ...]:
    """Return what may be tried on a connection: no passwords where the host's key says that somebody else may answer.

    As ssh does with StrictHostKeyChecking=no. Raises TransportError (auth) when nothing is left.
    """
    kept = tuple(each for each in credentials if each.kind != "password" or connection.passwords)
    if kept:
        return kept
    raise TransportError(
        "auth",
        "password-withheld",
        f"{connection.host.name} shows another host key than the one on file, so it is given no password",
        "correct known_hosts, or log in with a key",
    )


def _fits(credential: Credential, allowed: Sequence[str]) -> bool:
    if credential.kind == "password":
        return "password" in allowed or "keyboard-interactive" in allowed
    return credential.kind in allowed


def _offer(engine: Engine, user: str, credential: Credential, deadline: Deadline) -> Sequence[str]:
    """Send one credential; return what the server wants beyond it (empty: logged in)."""
    engine.bound(deadline)
    answered = threading.Event()
    if credential.key is not None:
        engine.auth_publickey(user, credential.key, event=answered)
        engine.wait(answered, deadline)
        return engine.login_answer()
    try:
        engine.auth_password(user, credential.secret, event=answered)
        engine.wait(answered, deadline)
        return engine.login_answer()
    except paramiko.BadAuthenticationType as error:
        if "keyboard-interactive" not in error.allowed_types:
            raise
    return engine.answer_prompts(user, _Answer(credential.secret), deadline)


class _Answer:
    """Answers one hidden prompt with the password, once (PAM asks for it that way). Anything more is another factor."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._given = False

    def __call__(self, _title: str, _instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str]:
        if not prompts:
            return []
        (_, echoed), *more = prompts
        if self._given or more or echoed:
            raise paramiko.SSHException("second factor")
        self._given = True
        return [self._secret]


def _check_alive(engine: Engine, credential: Credential, error: Exception, deadline: Deadline) -> None:
    """Return when a refusal leaves the connection usable; raise TransportError for everything that ends it."""
    said = f': the server says "{engine.seen.disconnect}"' if engine.seen.disconnect else ""
    if isinstance(error, paramiko.SSHException) and str(error) == "second factor":
        raise _second_factor("it asks for more than one hidden answer")
    if str(error) == "Illegal info request from server":  # paramiko's word for SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
        raise TransportError(
            "auth", "password-expired", "the server wants a new password before it lets anyone in",
            "log in by hand and change it, or use a key",
        )  # fmt: skip
    if deadline.passed:
        raise TransportError(
            "auth", "auth-timeout", f"the login was not answered within {deadline.seconds:.3g} s{said}",
            "PAM, LDAP or a DNS lookup of the client may hang on the host",
        ) from error  # fmt: skip
    if not engine.is_active():
        raise TransportError(
            "auth", "auth-closed", f"the server closed the connection during the login with {credential.label}{said}",
            "look at its log; too many keys offered, or the account may not log in",
        ) from error  # fmt: skip
    if not isinstance(error, paramiko.AuthenticationException):
        raise TransportError("auth", "auth-failed", f"cannot log in with {credential.label}: {escape(str(error), 200)}")


def _second_factor(detail: str) -> TransportError:
    return TransportError(
        "auth",
        "auth-needs-second-factor",
        f"the server wants a second factor: {detail}",
        "exempt the audit account (AuthenticationMethods publickey in a Match block of its sshd_config)",
    )


def _say(credential: Credential) -> str:
    return f"{credential.label} (not tried: {credential.trouble})" if credential.trouble else credential.label


def _refused(user: str, credentials: Sequence[Credential], allowed: Sequence[str], *, partial: bool) -> TransportError:
    methods = escape(", ".join(allowed), 200)
    if partial:
        return _second_factor(f"after the first login step it asks for {methods or 'another'}")
    tried = ", ".join(_say(credential) for credential in credentials)
    only = f"; it accepts only {methods}" if methods else ""
    return TransportError(
        "auth",
        "auth-refused",
        f"the server refused {user} with {tried}{only}",
        "check the user and that its authorized_keys holds the key; the server's log says why it refused",
    )
