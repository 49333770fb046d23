"""An inventory and what ssh_config says in; the inventory with every host ready to be dialled, out.

The jump hosts that ssh_config names are hosts of the inventory where that has them, and otherwise hosts of their own,
settled in the same way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.errors import DocumentError, Problem
from auditor.model.host import Host, Inventory
from auditor.model.origin import Origin
from auditor.ssh_config.config import Config, Setting
from auditor.ssh_config.effect import Effect, overlay, parse_answer, take_effect
from auditor.ssh_config.fill import Exists, Filled, fill, settle_said
from auditor.ssh_config.keywords import split_destination
from auditor.ssh_config.local import Local
from auditor.ssh_config.resolve import Resolution, Run, resolve
from auditor.ssh_config.unhonoured import find_unhonoured

_MOST_ROUNDS = 10
"""More than the jump hosts that any route may have: `ProxyJump gate-%h` for every host would go on for ever."""

Question = tuple[str, Mapping[str, Setting]]
"""What ssh(1) is asked: the name of a host, and what is settled for it already."""

Ask = Callable[[Sequence[Question]], Sequence[str | None]]
"""Returns what `ssh -G` prints for each question; None where it could not tell."""


@dataclass(frozen=True, slots=True)
class Means:
    """What settling needs of the world: `exists` looks for files, `run` runs a Match exec, `ask` asks ssh.

    None for the last two: that must not be, or there is no ssh.
    """

    local: Local
    exists: Exists
    run: Run | None = None
    ask: Ask | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """One host, ready to be dialled, and how that came to be."""

    host: Host
    resolution: Resolution
    effect: Effect


@dataclass(slots=True)
class Fleet:
    """All hosts that were settled, by name, with the jump hosts among them."""

    by_name: dict[str, Settled] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)


def settle(inventory: Inventory, config: Config, means: Means) -> tuple[Inventory, Fleet]:
    """Return the inventory with its ssh hosts settled, and what was found on the way.

    Raises DocumentError with every mistake in what concerns these hosts.
    """
    work = _Work(inventory, config, means)
    # The system's ssh reads its configuration itself, by the host's name.
    work.add(host for host in inventory.hosts if host.connection == "ssh" and host.client != "openssh")
    if work.problems:
        raise DocumentError(work.problems)
    fleet = Fleet(work.done, sorted(set(work.warnings)))

    def settled(hosts: Iterable[Host]) -> tuple[Host, ...]:
        return tuple(work.done[host.name].host if host.name in work.done else host for host in hosts)

    update = {
        "hosts": settled(inventory.hosts),
        "others": settled(inventory.others),
        "jump_hosts": tuple(work.done[name].host for name in work.new if name in work.done),
    }
    return inventory.model_copy(update=update), fleet


class _Work:
    """Hosts being settled: those of the inventory, then those they jump through, until none is left."""

    def __init__(self, inventory: Inventory, config: Config, means: Means) -> None:
        self.done: dict[str, Settled] = {}
        self.new: dict[str, None] = {}
        self.problems = list(config.problems)
        self.warnings = list(config.warnings)
        self._config = config
        self._means = means
        self._listed = {host.name: host for host in (*inventory.others, *inventory.hosts)}
        self._judge_unknown()

    def _judge_unknown(self) -> None:
        """Refuse keywords that are not known here, unless the ssh of this machine knows them."""
        unknown, ask = self._config.unknown, self._means.ask
        if unknown and (ask is None or ask([("localhost", {})])[0] is None):
            self.problems += unknown
        else:
            hint = "the ssh of this machine accepts it"
            self.warnings += [
                replace(each, level="warning", message=f"{each.message} here: it does nothing", hint=hint)
                for each in unknown
            ]

    def add(self, hosts: Iterable[Host]) -> None:
        """Settle `hosts` and every host on the way to them."""
        pending = list(hosts)
        for _ in range(_MOST_ROUNDS):
            filled = [self._fill(host, *each) for host, each in zip(pending, self._resolve(pending), strict=True)]
            wanted = {hop: one.way for one in filled for hop in (*one.hops, *one.host.jump)}
            found = [self._find_hop(hop, origin) for hop, origin in wanted.items()]
            pending = list({host.name: host for host in found if host is not None}.values())

    def _resolve(self, hosts: Sequence[Host]) -> list[tuple[Resolution, Effect]]:
        """Return what is in force for each host; ssh is asked where there is a doubt and it may be."""
        local, run = self._means.local, self._means.run
        said = [settle_said(host) for host in hosts]
        names = [host.name.strip("[]") if host.name not in self.new else _name_in(host.name) for host in hosts]
        resolutions = [resolve(self._config, name, one, local, run) for name, one in zip(names, said, strict=True)]
        effects = [take_effect(resolution, local) for resolution in resolutions]
        doubtful = [number for number, each in enumerate(resolutions) if each.asks_ssh]
        if doubtful and self._means.ask is not None:
            answers = self._means.ask([(names[number], said[number]) for number in doubtful])
            for number, answer in zip(doubtful, answers, strict=True):
                if answer is not None:
                    effects[number] = overlay(effects[number], parse_answer(answer))
                    resolutions[number].warnings.clear()
        self.warnings += [problem for each in resolutions for problem in (*each.warnings, *find_unhonoured(each))]
        return list(zip(resolutions, effects, strict=True))

    def _fill(self, host: Host, resolution: Resolution, effect: Effect) -> Filled:
        filled = fill(host, resolution, effect, self._means.local, self._means.exists)
        self.problems += filled.problems
        if filled.hops:
            ready = filled.host.model_copy(update={"jump": tuple(map(_name_of, filled.hops))})
            filled = replace(filled, host=ready)
        self.done[host.name] = Settled(filled.host, resolution, effect)
        return filled

    def _find_hop(self, hop: str, origin: Origin) -> Host | None:
        """Return the host that a jump means, made if need be; None for one that makes no sense, which is noted."""
        name = _name_of(hop)
        if name in self.done:
            return None
        if name in self._listed:
            return self._listed[name]
        try:
            user, address, port = split_destination(hop)
        except ValueError as error:
            self.problems.append(Problem(origin.file, origin.line, 1, f"ProxyJump: {error}"))
            return None
        self.new[name] = None
        said = {key: value for key, value in (("user", user), ("port", port)) if value is not None}
        known = self._listed.get(address)
        if known is not None and known.connection == "ssh":
            fields = {key: getattr(known, key) for key in known.model_fields_set}
            return Host.model_validate({"address": known.address, **fields, **said, "name": name})
        return Host.model_validate({**said, "name": name, "origin": origin})


def _name_of(hop: str) -> str:
    """Return the name that a jump host goes by."""
    return hop.removeprefix("ssh://").removesuffix("/")


def _name_in(hop: str) -> str:
    """Return the name within `user@name:port`, which ssh_config is asked for."""
    return split_destination(hop)[1]
