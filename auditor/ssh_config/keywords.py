"""The keywords of ssh_config(5): their names, how their arguments are read, and what netaudit does about them.

The names are those of OpenSSH 10, with what Debian, Red Hat and Apple add. Values are checked only where netaudit uses
them; OpenSSH checks them all.
"""

import re
from collections.abc import Callable, Mapping, Sequence

_WRITTEN = """
AddKeysToAgent AddressFamily BatchMode BindAddress BindInterface CanonicalDomains CanonicalizeFallbackLocal
CanonicalizeHostname CanonicalizeMaxDots CanonicalizePermittedCNAMEs CASignatureAlgorithms CertificateFile
ChallengeResponseAuthentication ChannelTimeout CheckHostIP Ciphers ClearAllForwardings Compression
ConnectionAttempts ConnectTimeout ControlMaster ControlPath ControlPersist DynamicForward EnableEscapeCommandline
EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardAgent ForwardX11
ForwardX11Timeout ForwardX11Trusted GatewayPorts GlobalKnownHostsFile GSSAPIAuthentication GSSAPIClientIdentity
GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity
GSSAPITrustDns HashKnownHosts Host HostbasedAcceptedAlgorithms HostbasedAuthentication HostKeyAlgorithms
HostKeyAlias Hostname IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown Include IPQoS
KbdInteractiveAuthentication KbdInteractiveDevices KexAlgorithms KnownHostsCommand LocalCommand LocalForward
LogLevel LogVerbose MACs Match NoHostAuthenticationForLocalhost NumberOfPasswordPrompts ObscureKeystrokeTiming
PasswordAuthentication PermitLocalCommand PermitRemoteOpen PKCS11Provider Port PreferredAuthentications
ProtocolKeepAlives ProxyCommand ProxyJump ProxyUseFdpass PubkeyAcceptedAlgorithms PubkeyAuthentication
RefuseConnection RekeyLimit RemoteCommand RemoteForward RequestTTY RequiredRSASize RevokedHostKeys RSAMinSize
SecurityKeyProvider SendEnv ServerAliveCountMax ServerAliveInterval SessionType SetEnv SetupTimeOut StdinNull
StreamLocalBindMask StreamLocalBindUnlink StrictHostKeyChecking SyslogFacility Tag TCPKeepAlive Tunnel
TunnelDevice UpdateHostKeys UseKeychain User UserKnownHostsFile VerifyHostKeyDNS VersionAddendum VisualHostKey
WarnWeakCrypto XAuthLocation
Cipher CompressionLevel FallBackToRsh GlobalKnownHostsFile2 Protocol RhostsAuthentication RhostsRSAAuthentication
RSAAuthentication UserKnownHostsFile2 UseRoaming UsePrivilegedPort UseRsh AFSTokenPassing KerberosAuthentication
KerberosTGTPassing
"""
NAMES: Mapping[str, str] = {name.lower(): name for name in _WRITTEN.split()}
"""Every keyword, in lower case, and as it is written; the last ones are obsolete and mean nothing any more."""

_ALIASES = {
    "dsaauthentication": "pubkeyauthentication",
    "hostbasedkeytypes": "hostbasedacceptedalgorithms",
    "identityfile2": "identityfile",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "skeyauthentication": "challengeresponseauthentication",
    "smartcarddevice": "pkcs11provider",
    "tisauthentication": "challengeresponseauthentication",
}

ACCUMULATING = frozenset(
    {"identityfile", "certificatefile", "sendenv", "localforward", "remoteforward", "dynamicforward"}
)
"""Keywords of which every line counts; of all others the first."""

_FLAG = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "addressfamily": {"any": "any", "inet": "inet", "inet6": "inet6"},
    "canonicalizehostname": {**_FLAG, "always": "always"},
    "identitiesonly": _FLAG,
    "pubkeyauthentication": {**_FLAG, "unbound": "unbound", "host-bound": "host-bound"},
    "stricthostkeychecking": {**_FLAG, "false": "false", "no": "false", "off": "false", "ask": "ask"}
    | {"yes": "true", "true": "true", "accept-new": "accept-new"},
    "verifyhostkeydns": {**_FLAG, "ask": "ask"},
}
"""Keywords with a few words to choose from, and each word as `ssh -G` writes it."""

_WHOLE_LINE = frozenset({"knownhostscommand", "localcommand", "proxycommand", "remotecommand"})
_LISTS = frozenset({"globalknownhostsfile", "userknownhostsfile"})
_ALGORITHMS = frozenset({"ciphers", "hostkeyalgorithms", "kexalgorithms", "macs"})
_SINGLE = frozenset(
    {"bindaddress", "certificatefile", "hostkeyalias", "hostname", "identityagent", "identityfile", "ignoreunknown"}
    | {"revokedhostkeys", "user"}
)
_TIME = re.compile(r"(?:[0-9]{1,9}[sSmMhHdDwW])*[0-9]{1,9}[sSmMhHdDwW]?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def canonical_keyword(keyword: str) -> str | None:
    """Return the keyword that `keyword`, in lower case, is a name of; None when OpenSSH knows no such keyword."""
    keyword = _ALIASES.get(keyword, keyword)
    return keyword if keyword in NAMES else None


def read_values(keyword: str, text: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the values that a line sets: `text` is all that follows the keyword, `arguments` the same, split.

    Raises ValueError with what is wrong.
    """
    if keyword in _WHOLE_LINE:
        return (text.lstrip(" \t\r\n="),)
    if keyword == "proxyjump":
        return read_jump(text.lstrip(" \t\r\n="))
    if not arguments or not arguments[0]:
        raise ValueError("nothing stands behind the keyword")
    read = _READERS.get(keyword)
    if read is None:
        return tuple(arguments)
    if keyword not in _LISTS and len(arguments) > 1:
        raise ValueError(f"{arguments[1]!r} is too much: one argument is expected")
    return read(keyword, arguments)


def read_jump(text: str) -> tuple[str, ...]:
    """Return the hosts of a ProxyJump, in the order they are gone through, or ('none',).

    Raises ValueError for one that is not `[user@]host[:port]` or `ssh://…`.
    """
    words = text.partition("#")[0].split()
    if not words:
        raise ValueError("nothing stands behind the keyword")
    if words[0].lower() == "none":
        return ("none",)
    hops = tuple(words[0].split(","))
    for hop in hops:
        split_destination(hop)
    return hops


def split_destination(text: str) -> tuple[str | None, str, int | None]:
    """Return user, host and port of `[user@]host[:port]` or `ssh://[user@]host[:port]`.

    Raises ValueError when `text` is not one.
    """
    place = text.removeprefix("ssh://")
    if place != text:
        place = place.removesuffix("/")
    user, at, rest = place.rpartition("@")
    found = re.fullmatch(r"(?P<host>\[[^]]*\]|[^:/\[\]]+)(?::(?P<port>[0-9]{1,5})?)?", rest)
    host = found["host"].strip("[]") if found else ""
    port = int(found["port"]) if found and found["port"] else None
    if not host or (at and not user) or port == 0 or (port or 0) > 65535:
        raise ValueError(f"{text!r} is not a host to jump through: write [user@]host[:port], or none")
    return user or None, host, port


def read_time(text: str) -> float | None:
    """Return seconds of a time such as `90`, `1m30s`; None for `none`. Raises ValueError."""
    if text == "none":
        return None
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time: write seconds, or 1m30s")
    parts = re.findall(r"([0-9]+)([a-z]?)", text.lower())
    return float(sum(int(number) * _UNITS[unit or "s"] for number, unit in parts))


def _read_choice(keyword: str, arguments: Sequence[str]) -> tuple[str, ...]:
    choices = _CHOICES[keyword]
    value = choices.get(arguments[0].lower())
    if value is None:
        raise ValueError(f"{arguments[0]!r} is not one of {', '.join(choices)}")
    return (value,)


def _read_port(_keyword: str, arguments: Sequence[str]) -> tuple[str, ...]:
    text = arguments[0]
    if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is not a port: a number from 1 to 65535")
    return (str(int(text)),)


def _read_timeout(_keyword: str, arguments: Sequence[str]) -> tuple[str, ...]:
    seconds = read_time(arguments[0])
    return ("none" if seconds is None else f"{seconds:.0f}",)


def _read_single(_keyword: str, arguments: Sequence[str]) -> tuple[str, ...]:
    return (arguments[0],)


def _read_list(_keyword: str, arguments: Sequence[str]) -> tuple[str, ...]:
    if "" in arguments:
        raise ValueError("an argument is empty")
    if len(arguments) > 1 and any(argument.lower() == "none" for argument in arguments):
        raise ValueError("'none' must stand alone")
    return tuple(arguments)


_Reader = Callable[[str, Sequence[str]], tuple[str, ...]]
_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys(_CHOICES, _read_choice),
    **dict.fromkeys(_ALGORITHMS | _SINGLE, _read_single),
    **dict.fromkeys(_LISTS, _read_list),
    "port": _read_port,
    "connecttimeout": _read_timeout,
}
