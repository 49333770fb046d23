"""A verified connection and credentials in, a logged-in connection out.

Each credential is tried exactly once, in order, and a refusal ends the matter for it: failed logins lock accounts and
earn penalties (PerSourcePenalties, sshd_config(5)). Nothing here may run before the host key was verified.
"""

import threading
from collections.abc import Sequence

import paramiko
from paramiko.ssh_exception import PartialAuthentication

from auditor.display import escape
from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_breaker import Breaker
from auditor.transport.ssh_keys import Credential
from auditor.transport.ssh_protocol import Engine

_POLL_S = 0.25


def log_in(engine: Engine, user: str, credentials: Sequence[Credential], breaker: Breaker, deadline: Deadline) -> None:
    """Log in as `user`, while somebody watches the deadline: the wait for an answer has no end of its own.

    Raises TransportError (auth) with the reason of the last step that failed.
    """
    allowed: list[str] = []
    partial = False
    for credential in credentials:
        if allowed and not _fits(credential, allowed):
            continue
        try:
            more = _offer(engine, user, credential, deadline)
        except paramiko.BadAuthenticationType as error:
            allowed = list(error.allowed_types)  # the method is not offered: nothing is said about the credential
            continue
        except (paramiko.SSHException, EOFError, OSError) as error:
            _check_alive(engine, credential, error, deadline)
            breaker.note(user, credential, accepted=False)
            continue
        breaker.note(user, credential, accepted=True)
        if not more:
            return
        allowed, partial = list(more), True
    raise _refused(user, credentials, allowed, partial=partial)


def _fits(credential: Credential, allowed: Sequence[str]) -> bool:
    if credential.kind == "password":
        return "password" in allowed or "keyboard-interactive" in allowed
    return credential.kind in allowed


def _offer(engine: Engine, user: str, credential: Credential, deadline: Deadline) -> Sequence[str]:
    """Send one credential; return what the server wants beyond it (empty: logged in)."""
    answered = threading.Event()
    if credential.key is not None:
        engine.auth_publickey(user, credential.key, event=answered)
        return _await_answer(engine, answered, deadline)
    try:
        engine.auth_password(user, credential.secret, event=answered)
        return _await_answer(engine, answered, deadline)
    except paramiko.BadAuthenticationType as error:
        if "keyboard-interactive" not in error.allowed_types:
            raise
    return engine.auth_interactive(user, _Answer(credential.secret))


def _await_answer(engine: Engine, answered: threading.Event, deadline: Deadline) -> Sequence[str]:
    """Wait for the answer to a login, and return what else is wanted. Raises paramiko's exception for a refusal.

    paramiko's own wait needs its thread to come to an end, and that thread may hang in an ssh agent.
    """
    while not answered.wait(min(_POLL_S, deadline.left())) and engine.is_active() and not deadline.passed:
        pass
    if engine.is_authenticated():
        return ()
    error = engine.get_exception() or paramiko.AuthenticationException("no answer")
    if isinstance(error, PartialAuthentication):
        return list(error.allowed_types)
    raise error


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


def _refused(user: str, credentials: Sequence[Credential], allowed: Sequence[str], *, partial: bool) -> TransportError:
    methods = escape(", ".join(allowed), 200)
    if partial:
        return _second_factor(f"after the first login step it asks for {methods or 'another'}")
    tried = ", ".join(credential.label for credential in credentials)
    only = f"; it accepts only {methods}" if methods else ""
    return TransportError(
        "auth",
        "auth-refused",
        f"the server refused {user} with {tried}{only}",
        "check the user and that its authorized_keys holds the key; the server's log says why it refused",
    )
