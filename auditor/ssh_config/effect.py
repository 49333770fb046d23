"""What files set for a host in, every option that is in force for it out: as `ssh -G` prints them, with their origin.

Defaults, and which values have their tokens filled in by then, are those of fill_default_options() in OpenSSH's
readconf.c and of main() in ssh.c.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from auditor.errors import Problem
from auditor.ssh_config.algorithms import OPENSSH, Algorithms
from auditor.ssh_config.algorithms import assemble as assemble_algorithms
from auditor.ssh_config.config import Setting
from auditor.ssh_config.keywords import NAMES, split_destination
from auditor.ssh_config.local import Local
from auditor.ssh_config.resolve import Resolution
from auditor.ssh_config.tokens import connection_tokens, expand, expand_tilde

DEFAULT = "default"
SSH = "ssh -G"

_IDENTITIES = ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
_DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "addressfamily": ("any",),
    "connecttimeout": ("none",),
    "globalknownhostsfile": ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"),
    "identitiesonly": ("no",),
    "identityfile": tuple(f"~/.ssh/id_{kind}" for kind in _IDENTITIES),
    "port": ("22",),
    "stricthostkeychecking": ("ask",),
    "userknownhostsfile": ("~/.ssh/known_hosts", "~/.ssh/known_hosts2"),
}
HONOURED = (
    *("hostname", "user", "port", "addressfamily", "bindaddress", "connecttimeout", "proxyjump", "proxycommand"),
    *("hostkeyalias", "stricthostkeychecking", "userknownhostsfile", "globalknownhostsfile", "revokedhostkeys"),
    *("identityfile", "certificatefile", "identitiesonly", "identityagent"),
    *("kexalgorithms", "hostkeyalgorithms", "ciphers", "macs"),
)
"""The keywords that netaudit acts on, in the order in which they are shown."""

_CLEARED_BY_NONE = frozenset({"proxycommand", "proxyjump", "revokedhostkeys"})
_ALGORITHMS = frozenset({"ciphers", "hostkeyalgorithms", "kexalgorithms", "macs"})
_ADDRESS = frozenset("0123456789.")


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword (in lower case), its values, and where they come from: FILE:LINE, `default` or `ssh -G`."""

    keyword: str
    values: tuple[str, ...]
    origin: str

    @property
    def is_default(self) -> bool:
        return self.origin == DEFAULT


@dataclass(slots=True)
class Effect:
    """The options in force for one host, by keyword, and the mistakes in them."""

    options: dict[str, Option] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def values(self, keyword: str) -> tuple[str, ...]:
        option = self.options.get(keyword)
        return () if option is None else option.values

    def value(self, keyword: str) -> str | None:
        """Return the value of a keyword that has one at most."""
        values = self.values(keyword)
        return " ".join(values) if values else None

    def is_set(self, keyword: str) -> bool:
        """Return whether somebody set the keyword."""
        return keyword in self.options and not self.options[keyword].is_default


def take_effect(resolution: Resolution, local: Local, algorithms: Algorithms = OPENSSH) -> Effect:
    """Return the options in force for the host that was resolved."""
    effect = Effect(problems=list(resolution.problems))
    sight = _Sight(resolution, local, algorithms)
    unset = _unset_options(local, algorithms)
    for keyword in HONOURED:
        settings = resolution.settings.get(keyword, ())
        if not settings and keyword != "hostname":
            if keyword in unset:
                effect.options[keyword] = unset[keyword]
            continue
        values = resolution.all_values(keyword)
        made = values or _DEFAULTS.get(keyword, ())
        if keyword in _CLEARED_BY_NONE and [value.lower() for value in made] == ["none"]:
            continue
        try:
            made = _finish(keyword, made, sight)
        except ValueError as error:
            effect.problems.append(_mistake(settings, keyword, str(error)))
        if made:
            effect.options[keyword] = Option(keyword, made, str(settings[0].origin) if settings else DEFAULT)
    return effect


@lru_cache(maxsize=8)
def _unset_options(local: Local, algorithms: Algorithms) -> Mapping[str, Option]:
    """Return the options in force that no file sets: the same for every host, but for its name."""
    sight = _Sight(Resolution("", ""), local, algorithms)
    made = {keyword: _finish(keyword, _DEFAULTS.get(keyword, ()), sight) for keyword in HONOURED}
    return {keyword: Option(keyword, values, DEFAULT) for keyword, values in made.items() if values}


@dataclass(frozen=True)
class _Sight:
    """What a value may refer to."""

    resolution: Resolution
    local: Local
    algorithms: Algorithms

    @cached_property
    def tokens(self) -> Mapping[str, str]:
        return _tokens(self.resolution, self.local)


def _finish(keyword: str, values: tuple[str, ...], sight: _Sight) -> tuple[str, ...]:
    """Return the values as they are in force. Raises ValueError."""
    if keyword in _ALGORITHMS:
        defaults, known = sight.algorithms.defaults[keyword], sight.algorithms.known[keyword]
        if not values:
            return defaults
        listed = assemble_algorithms(values[0], defaults, known)
        if not listed:
            raise ValueError(f"{values[0]!r} leaves no algorithm")
        return listed
    finish = _FINISHERS.get(keyword)
    return values if finish is None else finish(values, sight)


def _finish_hostname(_values: tuple[str, ...], sight: _Sight) -> tuple[str, ...]:
    return (sight.resolution.hostname,)


def _finish_user(values: tuple[str, ...], sight: _Sight) -> tuple[str, ...]:
    return values or (sight.local.user,)


def _finish_paths(values: tuple[str, ...], sight: _Sight) -> tuple[str, ...]:
    return tuple(expand_path(value, sight.local, sight.tokens) for value in values)


def _finish_alias(values: tuple[str, ...], _sight: _Sight) -> tuple[str, ...]:
    return tuple(value.lower() for value in values)


def _finish_jump(values: tuple[str, ...], _sight: _Sight) -> tuple[str, ...]:
    return (*values[:-1], join_destination(*split_destination(values[-1]))) if values else ()


_FINISHERS: Mapping[str, Callable[[tuple[str, ...], _Sight], tuple[str, ...]]] = {
    "hostkeyalias": _finish_alias,
    "hostname": _finish_hostname,
    "identityagent": _finish_paths,
    "proxyjump": _finish_jump,
    "user": _finish_user,
    "userknownhostsfile": _finish_paths,
}


def expand_path(path: str, local: Local, tokens: Mapping[str, str]) -> str:
    """Return a path with its `~`, tokens and variables filled in. Raises ValueError."""
    return expand(expand_tilde(path, local), tokens, local.environment)


def join_destination(user: str | None, host: str, port: int | None) -> str:
    """Return `user@host:port` without what is not given; an address stands in brackets, as `ssh -G` writes it."""
    shown = f"[{host}]" if ":" in host or set(host) <= _ADDRESS else host
    return f"{f'{user}@' if user else ''}{shown}{f':{port}' if port else ''}"


def _tokens(resolution: Resolution, local: Local) -> dict[str, str]:
    found = ((key, resolution.value(key)) for key in ("port", "user", "hostkeyalias"))
    settled: dict[str, str] = {key: value for key, value in found if value is not None}
    if "hostkeyalias" in settled:
        settled["hostkeyalias"] = settled["hostkeyalias"].lower()
    jump = resolution.all_values("proxyjump")
    if jump and jump[-1].lower() != "none":
        settled["jump"] = split_destination(jump[-1])[1]
    return connection_tokens(local, resolution.name, resolution.hostname, settled)


def tokens_of(resolution: Resolution, effect: Effect, local: Local) -> dict[str, str]:
    """Return what the tokens of a connection stand for once its options are in force."""
    found = ((key, effect.value(key)) for key in ("port", "user", "hostkeyalias"))
    settled: dict[str, str] = {key: value for key, value in found if value is not None}
    return connection_tokens(local, resolution.name, effect.value("hostname") or resolution.name, settled)


def _mistake(settings: Sequence[Setting], keyword: str, message: str) -> Problem:
    name = NAMES[keyword]
    if not settings:
        return Problem(DEFAULT, 0, 0, f"{name}: {message}")
    origin = settings[0].origin
    return Problem(origin.file, origin.line, 1, f"{name}: {message}")


def overlay(effect: Effect, answer: Mapping[str, tuple[str, ...]]) -> Effect:
    """Return the options as ssh(1) itself gave them; those on which both agree keep their origin."""
    options: dict[str, Option] = {}
    for keyword in HONOURED:
        values = answer.get(keyword, ())
        own = effect.options.get(keyword)
        if own is not None and " ".join(own.values) == " ".join(values):  # ssh does not tell which blanks are in paths
            options[keyword] = own
        elif values:
            origin = own.origin if own is not None and keyword in _ALGORITHMS else SSH
            options[keyword] = Option(keyword, values, origin)
    return replace(effect, options=options, problems=[])


def parse_answer(text: str) -> dict[str, tuple[str, ...]]:
    """Return the values by keyword of what `ssh -G` printed."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in _ALGORITHMS or keyword == "proxyjump":
            values = tuple(value.split(","))
        elif keyword in ("globalknownhostsfile", "userknownhostsfile"):
            values = tuple(value.split())
        else:
            values = (value,)
        found[keyword] = found.get(keyword, ()) + values
    return found
