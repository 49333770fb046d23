"""A config and the name of a host in; what it sets for that host out, in the order of OpenSSH's main() in ssh.c.

The first value of a keyword counts, and what the caller has settled already comes before all files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from auditor.errors import Problem
from auditor.ssh_config.condition import Answer, Condition, holds
from auditor.ssh_config.config import Config, Setting
from auditor.ssh_config.keywords import ACCUMULATING, NAMES
from auditor.ssh_config.local import Local
from auditor.ssh_config.tokens import connection_tokens, expand

Run = Callable[[str], bool]
"""Runs the command of a Match exec and returns whether it succeeded."""


@dataclass(slots=True)
class Resolution:
    """What holds for the host that was asked for as `name`.

    `settings` by keyword, several for those that accumulate; `hostname` is what is dialled. `asks_ssh` says why only
    ssh(1) itself could tell for sure, '' when nothing is in doubt. `problems` are mistakes, `warnings` are not.
    """

    name: str
    hostname: str
    settings: dict[str, list[Setting]] = field(default_factory=dict)
    asks_ssh: str = ""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def first(self, keyword: str) -> Setting | None:
        found = self.settings.get(keyword)
        return found[0] if found else None

    def value(self, keyword: str) -> str | None:
        """Return the value of a keyword that has one; None when nothing sets it."""
        setting = self.first(keyword)
        return None if setting is None else setting.value

    def all_values(self, keyword: str) -> tuple[str, ...]:
        """Return the values of all lines of a keyword."""
        return tuple(value for setting in self.settings.get(keyword, ()) for value in setting.values)


def resolve(config: Config, name: str, settled: Mapping[str, Setting], local: Local, run: Run | None) -> Resolution:
    """Return what `config` and what is `settled` before (by keyword) say for `name`. Nothing is run without `run`."""
    resolution = Resolution(name, name, {keyword: [setting] for keyword, setting in settled.items()})
    walk = _Walk(config, resolution, local, run)
    walk.go(name)
    resolution.hostname = _settle_name(walk.hostname())
    if resolution.value("canonicalizehostname") in ("yes", "always"):
        resolution.asks_ssh = "CanonicalizeHostname"
    if config.wants_final:
        walk.final = True
        walk.go(resolution.hostname)
    return resolution


def _settle_name(name: str) -> str:
    """Return an address as it is usually written, and a name in lower case."""
    if ":" not in name:  # addresses of IPv4 are written in one way only
        return name.lower()
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower()


class _Walk:
    """One way through all files, and the facts that conditions can ask for on it (see `Facts`)."""

    def __init__(self, config: Config, resolution: Resolution, local: Local, run: Run | None) -> None:
        self.final = False
        self._config = config
        self._resolution = resolution
        self._local = local
        self._run = run

    def go(self, name: str) -> None:
        """Take every setting whose conditions hold when Host lines are compared with `name`."""
        known: dict[int, bool] = {}
        for section in self._config.sections_for(name):
            if all(self._holds(condition, name, known) for condition in section.conditions):
                for setting in section.settings:
                    self._take(setting)

    def _holds(self, condition: Condition, name: str, known: dict[int, bool]) -> bool:
        """Return whether a condition holds; it is judged once, where it stands."""
        key = id(condition)
        if key not in known:
            answer = holds(condition, name, self)
            known[key] = answer is Answer.YES
            if answer in (Answer.ASKS_SSH, Answer.ASKS_CONSENT):
                self._note(condition, answer)
        return known[key]

    def _note(self, condition: Condition, answer: Answer) -> None:
        place = condition.origin
        if answer is Answer.ASKS_SSH:
            self._resolution.asks_ssh = self._resolution.asks_ssh or f"the Match at {place}"
            message = "this Match is not understood here, so its block does not apply"
            hint = "with an ssh installed that understands it, ssh is asked"
        else:
            message = "this Match would run a command, so its block does not apply"
            hint = "--match-exec allows it"
        self._resolution.warnings.append(Problem(place.file, place.line, 1, message, hint, level="warning"))

    def _take(self, setting: Setting) -> None:
        found = self._resolution.settings
        keyword = setting.keyword
        if keyword in ACCUMULATING:
            before = found.setdefault(keyword, [])
            if all(setting.values != other.values for other in before):
                before.append(setting)
        elif keyword == "connecttimeout" and setting.value == "none":
            return  # to OpenSSH that is as good as not set, and a later line counts
        elif keyword not in found and not self._is_beaten(setting):
            found[keyword] = [setting]

    def _is_beaten(self, setting: Setting) -> bool:
        """Return whether another way through comes first: of ProxyJump and ProxyCommand the first counts.

        `ProxyJump none` only keeps other jumps away (OpenSSH 10.3; before, it kept a ProxyCommand away, too).
        """
        found = self._resolution
        if setting.keyword == "proxycommand":
            return (found.value("proxyjump") or "none").lower() != "none"
        return setting.keyword == "proxyjump" and setting.value != "none" and "proxycommand" in found.settings

    def hostname(self) -> str:
        """Return the host to dial, as far as it is known."""
        if self.final:
            return self._resolution.hostname
        setting = self._resolution.first("hostname")
        if setting is None:
            return self._resolution.name
        try:
            return expand(setting.value, {"h": self._resolution.name})
        except ValueError as error:
            origin = setting.origin
            problem = Problem(origin.file, origin.line, 1, f"{NAMES['hostname']}: {error}")
            if problem not in self._resolution.problems:
                self._resolution.problems.append(problem)
            return self._resolution.name

    def texts(self) -> Mapping[str, str]:
        """See `Facts.texts`."""
        return {
            "host": self.hostname(),
            "originalhost": self._resolution.name,
            "user": self._resolution.value("user") or self._local.user,
            "localuser": self._local.user,
        }

    def execute(self, command: str) -> bool | None:
        """See `Facts.execute`."""
        if self._run is None:
            return None
        settled = dict(self._values("port", "user", "hostkeyalias"))
        tokens = connection_tokens(self._local, self._resolution.name, self.hostname(), settled)
        return self._run(expand(command, tokens))

    def _values(self, *keywords: str) -> Iterator[tuple[str, str]]:
        for keyword in keywords:
            value = self._resolution.value(keyword)
            if value is not None:
                yield keyword, value
