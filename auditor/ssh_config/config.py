"""Configuration files, read: what they set under which conditions, in the order in which OpenSSH comes across it."""

from dataclasses import dataclass, field

from auditor.errors import Problem
from auditor.model.origin import Origin
from auditor.ssh_config.condition import Condition


@dataclass(frozen=True, slots=True)
class Setting:
    """A keyword (in lower case) with its values, and where it was set.

    `shared` means: by the system's file, which speaks for every user of this machine.
    """

    keyword: str
    values: tuple[str, ...]
    origin: Origin
    shared: bool = False

    @property
    def value(self) -> str:
        return " ".join(self.values)


@dataclass(slots=True)
class Section:
    """Settings that hold when all of `conditions` do: those of the block, after those of the blocks around it.

    An included file stands inside the block that includes it, and splits it: two sections may share a condition.
    """

    conditions: tuple[Condition, ...]
    settings: list[Setting] = field(default_factory=list)


@dataclass(slots=True)
class Config:
    """All files together. `files` are those that were read; `argument` is what `ssh -F` is given to read the same.

    `wants_final`: a `Match final` stands somewhere, so all is read twice, the second time with the final name;
    `executes`: a `Match exec` does, which `ssh -G` would run. Both are known once `index` was called.
    `unknown` are lines whose keyword only a newer ssh(1) may know. `problems` are errors, `warnings` are not.
    """

    argument: str | None = None
    files: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    wants_final: bool = False
    executes: bool = False
    _by_name: dict[str, list[int]] = field(default_factory=dict)
    _others: list[int] = field(default_factory=list)

    def index(self) -> None:
        """Prepare `sections_for`, once everything is read."""
        conditions = (condition for section in self.sections for condition in section.conditions)
        criteria = {criterion.name for condition in conditions for criterion in condition.criteria}
        self.wants_final, self.executes = "final" in criteria, "exec" in criteria
        for number, section in enumerate(self.sections):
            names = next((condition.names for condition in section.conditions if condition.names), ())
            for name in dict.fromkeys(names):
                self._by_name.setdefault(name, []).append(number)
            if not names:
                self._others.append(number)

    def sections_for(self, name: str) -> list[Section]:
        """Return the sections that can matter to the host `name`, in order: most blocks name another host."""
        numbers = self._by_name.get(name)
        order = self._others if numbers is None else sorted([*numbers, *self._others])
        return [self.sections[number] for number in order]
