"""A host key that is not trusted, in; what to tell the user about it, out."""

from auditor.errors import TransportError
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.transport.known_hosts import Ruling, Shown, place_of
from auditor.transport.public_key import fingerprint

_MOST_LINES = 4


def refuse(host: Host, ruling: Ruling, shown: Shown) -> TransportError:
    """Return why the key of `host` is not trusted: what it shows, what is on file and where."""
    where = join_port(host.address, host.port)
    lines = "; ".join(str(line) for line in ruling.lines[:_MOST_LINES])
    if ruling.trust == "revoked":
        return TransportError(
            "hostkey", "hostkey-revoked", f"{where} shows a revoked host key: {lines}",
            "somebody else may be answering: do not log in there; give the host a new key",
        )  # fmt: skip
    if ruling.trust == "mismatch":
        name = place_of(host.address, host.port, host.ssh.host_key_alias).names[0]
        return TransportError(
            "hostkey", "hostkey-mismatch",
            f"the host key of {where} changed: it shows {_describe(shown)}, known is {lines}",
            f"somebody else may be answering. Only if the key was replaced on purpose: `ssh-keygen -R '{name}'` "
            "and add the new one",
        )  # fmt: skip
    if ruling.trust == "certificate":
        return TransportError(
            "hostkey", "hostkey-certificate",
            f"the host certificate of {where} does not count: {ruling.fault}; known authority: {lines}",
            "have the authority sign the host's key anew: `ssh-keygen -s CA -h -I ID -n NAME -V +52w KEY.pub`",
        )  # fmt: skip
    return _unknown(host, shown, where)


def say_revoked(host: Host, shown: Shown) -> TransportError:
    """Return the failure of a host whose key, or the authority behind it, stands in a file of RevokedHostKeys."""
    where, files = join_port(host.address, host.port), ", ".join(host.ssh.revoked_host_keys)
    return TransportError(
        "hostkey", "hostkey-revoked", f"{where} shows {_describe(shown)}, which is revoked by {files}",
        "somebody else may be answering: do not log in there; give the host a new key",
    )  # fmt: skip


def _describe(shown: Shown) -> str:
    return f"{shown.key_type} {fingerprint(shown.blob)}"


def _unknown(host: Host, shown: Shown, where: str) -> TransportError:
    key_type = shown.key_type.removeprefix("ssh-").split("-", 1)[0]
    into = host.known_hosts[0] if host.known_hosts else "~/.ssh/known_hosts"
    hint = (
        f"compare with `ssh-keygen -lf /etc/ssh/ssh_host_{key_type}_key.pub` on the host itself, "
        f"then `ssh-keyscan -p {host.port} -t {key_type} {host.address} >> {into}`"
    )
    if shown.certificate is not None:
        signer = fingerprint(shown.certificate.authority)
        hint = f"it shows a certificate of an authority that is not known, {signer}; {hint}"
    alias = f" (as {host.ssh.host_key_alias})" if host.ssh.host_key_alias else ""
    return TransportError(
        "hostkey", "hostkey-unknown", f"no known key for {where}{alias}: it shows {_describe(shown)}", hint
    )
