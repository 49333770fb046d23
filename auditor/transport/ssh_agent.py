"""The ssh agent: keys that sign without being here. One connection to each agent serves all threads of a run.

Protocol: draft-ietf-sshm-ssh-agent. paramiko's own client knows one agent (SSH_AUTH_SOCK), waits for it without a limit
and is not safe to share.
"""

import os
import socket
import threading
from pathlib import Path

import paramiko
from paramiko.pkey import PublicBlob

from auditor.errors import TransportError
from auditor.transport.certificate import SUFFIX, read_certificate
from auditor.transport.loop import Threads
from auditor.transport.public_key import fingerprint, type_of

_REQUEST_IDENTITIES, _IDENTITIES_ANSWER, _SIGN_REQUEST, _SIGN_RESPONSE = 11, 12, 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
_LIST_S, _SIGN_S = 3.0, 30.0
"""A signature may wait for somebody to touch a token."""
_MOST_BYTES = 256 * 1024
"""AGENT_MAX_LEN in OpenSSH's authfd.c."""
_MOST_KEYS = 256


def find_agent(identity_agent: str | None) -> str:
    """Return the socket of the agent that IdentityAgent (ssh_config(5)) means, None: SSH_AUTH_SOCK; '': no agent."""
    if identity_agent == "none":
        return ""
    if identity_agent is None or identity_agent == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if identity_agent.startswith("$"):
        return os.environ.get(identity_agent.strip("${}"), "")
    return str(Path(identity_agent).expanduser())


class Agent:
    """One agent by the path of its socket; connected when first asked. Safe to use from several threads.

    `threads` is for who cannot wait for it: one, for it answers one question at a time.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.threads = Threads("netaudit-agent", 1)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def list_keys(self) -> tuple["SharedAgentKey", ...]:
        """Return the keys it holds, in its order. Raises TransportError (auth, agent-unavailable)."""
        try:
            kind, answer = self._ask(bytes([_REQUEST_IDENTITIES]), _LIST_S)
        except TimeoutError as error:
            raise no_agent(f"the ssh agent did not answer within {_LIST_S:.3g} s") from error
        except (OSError, EOFError) as error:
            raise no_agent(f"the ssh agent does not answer: {error}") from error
        if kind != _IDENTITIES_ANSWER:
            raise no_agent("the ssh agent does not tell its keys")
        blobs = []
        for _ in range(min(answer.get_int(), _MOST_KEYS)):
            blobs.append(answer.get_binary())
            answer.get_binary()  # a comment
        return tuple(SharedAgentKey(self, blob) for blob in blobs if type_of(blob))

    def sign(self, blob: bytes, data: bytes, algorithm: str) -> bytes:
        """Return the agent's signature with the key it listed as `blob`. Raises SSHException when it gives none."""
        request = paramiko.Message()
        request.add_byte(bytes([_SIGN_REQUEST]))
        request.add_string(blob)
        request.add_string(data)
        request.add_int(_FLAGS.get(algorithm.removesuffix(SUFFIX), 0))
        try:
            kind, answer = self._ask(request.asbytes(), _SIGN_S)
        except (OSError, EOFError) as error:
            raise paramiko.SSHException(f"the ssh agent does not answer: {error}") from error
        if kind != _SIGN_RESPONSE:
            raise paramiko.SSHException("the ssh agent refuses to sign with this key")
        return answer.get_binary()

    def close(self) -> None:
        """Let go of the agent."""
        with self._lock:
            self._drop()

    def _ask(self, request: bytes, seconds: float) -> tuple[int, paramiko.Message]:
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = socket.socket(socket.AF_UNIX)
                    self._socket.settimeout(_LIST_S)
                    self._socket.connect(self._path)
                self._socket.settimeout(seconds)
                self._socket.sendall(len(request).to_bytes(4, "big") + request)
                size = int.from_bytes(_receive(self._socket, 4), "big")
                if not 0 < size <= _MOST_BYTES:
                    raise EOFError(f"an answer of {size} bytes")
                answer = _receive(self._socket, size)
            except BaseException:
                self._drop()  # a late answer must not be taken for the next one's
                raise
        return answer[0], paramiko.Message(answer[1:])

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _receive(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise EOFError("it closed the connection")
        data += more
    return data


class SharedAgentKey(paramiko.PKey):
    """A key in an agent, or a certificate for one. `blob` is what the agent calls it."""

    def __init__(self, agent: Agent, blob: bytes, certificate: bytes | None = None) -> None:
        self.agent = agent
        self.blob = blob
        own = read_certificate(blob)
        self.plain = own.plain if own is not None else blob
        shown = certificate or (blob if own is not None else None)
        self.public_blob = None if shown is None else PublicBlob(type_of(shown), shown)

    def certify(self, certificate: bytes) -> "SharedAgentKey":
        """Return the key with a certificate from a file."""
        return SharedAgentKey(self.agent, self.blob, certificate)

    def asbytes(self) -> bytes:
        return self.plain

    def get_name(self) -> str:
        return type_of(self.plain)

    @property
    def label(self) -> str:
        kind = "certificate for" if self.public_blob is not None else "key"
        return f"the agent's {kind} {fingerprint(self.plain)}"

    def can_sign(self) -> bool:
        return True

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        return paramiko.Message(self.agent.sign(self.blob, data, algorithm or self.get_name()))


def no_agent(message: str) -> TransportError:
    """Return the failure of a host that needs an agent."""
    return TransportError("auth", "agent-unavailable", message, "check SSH_AUTH_SOCK and `ssh-add -l`")
