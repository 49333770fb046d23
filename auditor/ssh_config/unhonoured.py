"""What files set that netaudit does not act on although it changes whom is trusted or how one logs in; warnings out."""

from collections.abc import Iterator, Mapping

from auditor.errors import Problem
from auditor.ssh_config.config import Setting
from auditor.ssh_config.keywords import NAMES
from auditor.ssh_config.resolve import Resolution

_OFF = frozenset({"no", "false", "none"})

_TRUST: Mapping[str, str] = {
    "bindinterface": "connections are not bound to an interface; BindAddress is honoured",
    "casignaturealgorithms": "signatures of certificate authorities are not limited by it",
    "checkhostip": "the key of a host is not looked up by its address besides its name",
    "knownhostscommand": "host keys that the command would print are not known",
    "nohostauthenticationforlocalhost": "host keys of this machine are verified like all others",
    "permitlocalcommand": "LocalCommand is not run",
    "proxyusefdpass": "a ProxyCommand that passes a socket does not work",
    "pubkeyacceptedalgorithms": "the algorithms that keys sign with are not limited by it",
    "refuseconnection": "the host is connected to all the same",
    "requiredrsasize": "smaller RSA keys are not refused",
    "verifyhostkeydns": "fingerprints in the DNS are not asked for: a key must be in known_hosts",
}
"""Options that decide whom to trust: what happens instead."""

_LOGIN: Mapping[str, str] = {
    "gssapiauthentication": "no Kerberos login",
    "gssapikeyexchange": "no Kerberos key exchange",
    "hostbasedauthentication": "no host-based login",
    "pkcs11provider": "no keys from it; load them into an agent",
    "preferredauthentications": "keys are tried first, then a password",
    "securitykeyprovider": "no security keys but those of an agent",
}
"""Options that decide how to log in. The system's file often sets them for everybody, which is not worth a warning."""

_EXPLICIT_HINT = "transport: openssh in the inventory uses the system's ssh, which honours it"


def find_unhonoured(resolution: Resolution) -> Iterator[Problem]:
    """Return a warning for each option that is set for the host and does not do what it would for ssh(1)."""
    for keyword, settings in resolution.settings.items():
        setting = settings[0]
        if keyword == "stricthostkeychecking" and setting.value == "false":
            message = f"{NAMES[keyword]} no: host keys are verified all the same"
            yield _warn(setting, message, "--insecure-ignore-host-keys turns that off, and every report says so")
        elif keyword == "pubkeyauthentication" and setting.value == "no":
            yield _warn(setting, f"{NAMES[keyword]} no: keys are offered all the same", _EXPLICIT_HINT)
        elif setting.value.lower() in _OFF:
            continue
        elif keyword in _TRUST:
            yield _warn(setting, f"{NAMES[keyword]} is not honoured: {_TRUST[keyword]}", _EXPLICIT_HINT)
        elif keyword in _LOGIN and not setting.shared:
            yield _warn(setting, f"{NAMES[keyword]} is not honoured: {_LOGIN[keyword]}", _EXPLICIT_HINT)


def _warn(setting: Setting, message: str, hint: str) -> Problem:
    return Problem(setting.origin.file, setting.origin.line, 1, message, hint, level="warning")
