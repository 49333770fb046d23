"""One attempt to log in on a driven connection, without the round trip and the waiting that paramiko's takes.

What it leans on in paramiko's AuthHandler is listed in `ssh_engine.LEANS_ON`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from queue import Empty

import paramiko
from paramiko.auth_handler import AuthHandler

from auditor.transport.deadline import Deadline
from auditor.transport.ssh_agent import SharedAgentKey


class Service:
    """Whether the server has accepted the login service (RFC 4253 §10): it is asked once for each connection."""

    accepted = False


class DrivenLogin(AuthHandler):
    """One attempt to log in. `early`: it does not wait for the service to be accepted, which takes a round trip."""

    _handler_table: Mapping[int, Callable[[paramiko.Message], None]]

    def __init__(self, engine: paramiko.Transport, service: Service, *, early: bool) -> None:
        super().__init__(engine)
        self._service = service
        self._sent = False
        self._early = early

    def _request_auth(self) -> None:
        if not self._service.accepted:
            super()._request_auth()  # type: ignore[misc]  # see LEANS_ON
        if self._early or self._service.accepted:
            self._send_login(paramiko.Message().add_string("ssh-userauth"))

    def _parse_service_accept(self, m: paramiko.Message) -> None:
        self._service.accepted = True
        if not self._sent:
            self._send_login(m)

    def _send_login(self, accepted: paramiko.Message) -> None:
        self._sent = True
        accepted.rewind()
        super()._parse_service_accept(accepted)  # type: ignore[misc]  # see LEANS_ON


class BoundedKey(paramiko.PKey):
    """A key in an ssh agent, which may hang: its signature is waited for, but not beyond the deadline."""

    def __init__(self, inner: SharedAgentKey, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline
        self.public_blob = inner.public_blob

    def asbytes(self) -> bytes:
        return self._inner.asbytes()

    def get_name(self) -> str:
        return self._inner.get_name()

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        try:
            return self._inner.agent.threads.call(
                partial(self._inner.sign_ssh_data, data, algorithm), self._deadline.left()
            )
        except Empty:
            raise paramiko.SSHException("the ssh agent did not answer") from None
