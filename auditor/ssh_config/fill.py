"""A host and the options in force for it in; the host with what the inventory left open filled in, out.

The inventory's own word wins. Its `jump` stands against ProxyJump and ProxyCommand alike, its `identity` against
IdentityFile and the default keys. The agent is asked, as ssh does, when the inventory names nothing to log in with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from auditor.errors import Problem
from auditor.model.host import Host, SshOptions
from auditor.model.origin import Origin
from auditor.ssh_config.config import Setting
from auditor.ssh_config.effect import Effect, Option, expand_path, tokens_of
from auditor.ssh_config.keywords import NAMES
from auditor.ssh_config.local import Local
from auditor.ssh_config.resolve import Resolution
from auditor.ssh_config.tokens import expand

Exists = Callable[[str], bool]
"""Returns whether a file is there."""

_NO_FILE = "/dev/null"
_IN_PROXIES = frozenset("hknpr")
_SAID = {"address": "hostname", "port": "port", "user": "user"}


def settle_said(host: Host) -> dict[str, Setting]:
    """Return what the inventory says of a host, as settings: like options on the command line of ssh."""
    said = {name: str(getattr(host, name)) for name in _SAID if name in host.model_fields_set}
    if "address" in said:
        said["address"] = said["address"].replace("%", "%%")  # the zone of fe80::1%eth0 is no token
    return {_SAID[name]: Setting(_SAID[name], (value,), host.origin) for name, value in said.items()}


@dataclass(frozen=True, slots=True)
class Filled:
    """A host that is ready to be dialled, the jump hosts that ssh_config wants for it, and mistakes on the way.

    `way` is where the jump hosts are named.
    """

    host: Host
    way: Origin
    hops: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def fill(host: Host, resolution: Resolution, effect: Effect, local: Local, exists: Exists) -> Filled:
    """Return `host` with its open fields filled from the options in force. Its `jump` is left to the caller."""
    return _Filling(host, resolution, effect, local, exists).fill()


class _Filling:
    """One host being filled in."""

    def __init__(self, host: Host, resolution: Resolution, effect: Effect, local: Local, exists: Exists) -> None:
        self._host = host
        self._resolution = resolution
        self._effect = effect
        self._local = local
        self._exists = exists
        self._problems = list(effect.problems)

    @cached_property
    def _tokens(self) -> dict[str, str]:
        return tokens_of(self._resolution, self._effect, self._local)

    def fill(self) -> Filled:
        said = self._host.model_fields_set
        update: dict[str, Any] = {}
        if "address" not in said:
            update["address"] = self._effect.value("hostname") or self._host.address
        if "port" not in said and self._effect.is_set("port"):
            update["port"] = int(self._effect.value("port") or 22)
        if "user" not in said and self._effect.is_set("user"):
            update["user"] = self._effect.value("user")
        update |= self._log_in(said)
        if "known_hosts" not in said:
            update["known_hosts"] = self._known_hosts()
        goes_direct = "jump" in said
        hops = () if goes_direct else tuple(self._expand("proxyjump", hop) for hop in self._effect.values("proxyjump"))
        update["ssh"] = self._options(with_proxy=not goes_direct)
        jump = self._resolution.first("proxyjump")
        way = self._host.origin if jump is None else jump.origin
        return Filled(self._host.model_copy(update=update), way, hops, tuple(self._problems))

    def _log_in(self, said: set[str]) -> dict[str, Any]:
        """Return the private keys to try and whether the agent is asked."""
        update: dict[str, Any] = {}
        has_own = bool(said & {"identity", "password", "agent"})
        if "identity" not in said and (self._effect.is_set("identityfile") or not has_own):
            paths = [
                self._path("identityfile", path) for path in self._effect.values("identityfile") if _is_named(path)
            ]
            update["identity"] = tuple(path for path in paths if self._exists(path))
        if "agent" not in said:
            named = self._effect.value("identityagent")
            runs = bool(self._local.environment.get("SSH_AUTH_SOCK"))
            update["agent"] = named != "none" and (named is not None or (runs and not has_own))
        return update

    def _known_hosts(self) -> tuple[str, ...]:
        """Return the files that are there of those that are configured; () when none is: the usual ones hold."""
        keywords = ("userknownhostsfile", "globalknownhostsfile")
        if not any(self._effect.is_set(keyword) for keyword in keywords):
            return ()
        named = [path for keyword in keywords for path in self._effect.values(keyword) if _is_named(path)]
        return tuple(path for path in named if self._exists(path)) or (_NO_FILE,)

    def _options(self, *, with_proxy: bool) -> SshOptions:
        effect = self._effect
        checking = effect.value("stricthostkeychecking")
        said = {name: getattr(self._host.ssh, name) for name in self._host.ssh.model_fields_set}
        proxy = effect.value("proxycommand") if with_proxy else None
        timeout = effect.value("connecttimeout")
        revoked = effect.value("revokedhostkeys")
        values = {
            "host_key_alias": effect.value("hostkeyalias"),
            "strict_host_key_checking": "accept-new" if checking == "accept-new" else "strict",
            "revoked_host_keys": (self._path("revokedhostkeys", revoked),) if revoked else (),
            "certificate_files": tuple(self._certificates()),
            "identities_only": effect.value("identitiesonly") == "yes",
            "identity_agent": effect.value("identityagent"),
            "proxy_command": None if proxy is None else self._expand("proxycommand", proxy),
            "address_family": effect.value("addressfamily") or "any",
            "bind_address": effect.value("bindaddress"),
            "connect_timeout": float(timeout) if timeout not in {None, "none", "0"} else None,
            "kex_algorithms": self._algorithms("kexalgorithms"),
            "ciphers": self._algorithms("ciphers"),
            "macs": self._algorithms("macs"),
            "host_key_algorithms": self._algorithms("hostkeyalgorithms"),
        }
        return _make_options(tuple({**values, **said}.items()))

    def _certificates(self) -> list[str]:
        paths = [self._path("certificatefile", path) for path in self._effect.values("certificatefile")]
        return [path for path in paths if self._exists(path)]

    def _algorithms(self, keyword: str) -> tuple[str, ...]:
        return self._effect.values(keyword) if self._effect.is_set(keyword) else ()

    def _path(self, keyword: str, path: str) -> str:
        return self._try(keyword, path, lambda: expand_path(path, self._local, self._tokens))

    def _expand(self, keyword: str, text: str) -> str:
        tokens = {key: value for key, value in self._tokens.items() if key in _IN_PROXIES}
        return self._try(keyword, text, lambda: expand(text, tokens))

    def _try(self, keyword: str, text: str, make: Callable[[], str]) -> str:
        try:
            return make()
        except ValueError as error:
            self._problems.append(_mistake(self._effect.options.get(keyword), keyword, str(error)))
            return text


@lru_cache(maxsize=128)
def _make_options(fields: tuple[tuple[str, Any], ...]) -> SshOptions:
    """Return the options of these fields: most hosts of a fleet share them."""
    return SshOptions.model_validate(dict(fields))


def _is_named(path: str) -> bool:
    return path.lower() != "none"


def _mistake(option: Option | None, keyword: str, message: str) -> Problem:
    file, _, line = (option.origin if option else "").rpartition(":")
    place = (file, int(line), 1) if line.isdigit() else (option.origin if option else "ssh_config", 0, 0)
    return Problem(*place, f"{NAMES[keyword]}: {message}")
