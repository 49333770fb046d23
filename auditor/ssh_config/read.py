"""Paths of configuration files in, a `Config` out, with what they include.

See read_config_file() in OpenSSH's readconf.c: which files, whose they must be, what Include leads to.
"""

import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import Problem
from auditor.model.origin import Origin
from auditor.ssh_config.condition import Condition, parse_criteria
from auditor.ssh_config.config import Config, Section, Setting
from auditor.ssh_config.keywords import NAMES, canonical_keyword, read_values
from auditor.ssh_config.local import Local
from auditor.ssh_config.patterns import matches_any
from auditor.ssh_config.tokens import expand_tilde
from auditor.ssh_config.words import split_arguments, split_keyword

_MOST_DEPTH = 16
_MOST_BYTES = 16 * 1024 * 1024
_MOST_FILES = 10_000


def read_config(choice: str | None, local: Local) -> Config:
    """Return what ssh(1) would read: the user's file and the system's, or with a `choice` only that file.

    `choice` 'none' reads nothing. Problems are in the result, every one with its line; a file that was chosen and is
    not there is one.
    """
    config = Config(argument=choice)
    reader = _Reader(config, local)
    if choice is None:
        reader.read(_File(f"{local.home.rstrip('/')}/.ssh/config", owned=True), ())
        reader.read(_File(f"{local.system}/ssh_config", shared=True), ())
    elif choice.lower() != "none":
        reader.read(_File(choice, required=True), ())
    config.index()
    return config


@dataclass(frozen=True, slots=True)
class _File:
    """A file to read. `owned`: nobody but the user and root may write to it. `shared`: it is the system's."""

    path: str
    owned: bool = False
    shared: bool = False
    required: bool = False
    depth: int = 0


class _Reader:
    """Reads files into a config."""

    def __init__(self, config: Config, local: Local) -> None:
        self._config = config
        self._local = local
        self._ignored: tuple[str, ...] | None = None
        self._full = False

    def read(self, file: _File, around: tuple[Condition, ...]) -> None:
        """Add what `file` says under the conditions `around` it."""
        text = self._load(file)
        if text is None:
            return
        self._config.files.append(file.path)
        conditions = around
        self._open(conditions)
        for number, line in enumerate(text.split("\n"), 1):
            keyword, rest = split_keyword(line)
            if not keyword or self._full:
                continue
            place = _Line(file, number, line, keyword, rest)
            try:
                opened = self._take(place, conditions)
            except ValueError as error:
                self._config.problems.append(place.problem(f"{place.name}: {error}"))
                continue
            if opened is not None:
                conditions = (*around, opened)
                self._open(conditions)

    def _open(self, conditions: tuple[Condition, ...]) -> None:
        self._config.sections.append(Section(conditions))

    def _take(self, line: "_Line", conditions: tuple[Condition, ...]) -> Condition | None:
        """Take in one line; return the condition that it begins a block with. Raises ValueError for a bad line."""
        arguments = split_arguments(line.rest)
        if line.keyword == "host":
            if not arguments or "" in arguments:
                raise ValueError("a pattern is missing or empty")
            return Condition(line.origin, patterns=arguments)
        if line.keyword == "match":
            return Condition(line.origin, criteria=parse_criteria(line.rest))
        if line.keyword == "include":
            self._include(line, arguments, conditions)
            return None
        keyword = canonical_keyword(line.keyword)
        if keyword is None:
            self._take_unknown(line)
            return None
        values = read_values(keyword, line.rest, arguments)
        if keyword == "ignoreunknown" and self._ignored is None:
            self._ignored = tuple(values[0].lower().split(","))
        setting = Setting(keyword, values, line.origin, line.file.shared)
        self._config.sections[-1].settings.append(setting)
        return None

    def _take_unknown(self, line: "_Line") -> None:
        if not matches_any(line.keyword, self._ignored or ()):
            hint = "correct it, or add it to IgnoreUnknown, above this line"
            self._config.unknown.append(line.problem(f"there is no keyword {line.name!r}", hint))

    def _include(self, line: "_Line", arguments: Sequence[str], conditions: tuple[Condition, ...]) -> None:
        if not arguments or "" in arguments:
            raise ValueError("a path is missing or empty")
        for argument in arguments:
            for path in self._find(argument, line.file):
                if line.file.depth >= _MOST_DEPTH:
                    self._full = True
                    raise ValueError(f"files include each other more than {_MOST_DEPTH} deep: is there a loop?")
                inner = _File(path, owned=True, shared=line.file.shared, depth=line.file.depth + 1)
                self.read(inner, conditions)
        self._open(conditions)

    def _find(self, argument: str, file: _File) -> list[str]:
        """Return the files that a pattern of Include means, sorted."""
        if argument.startswith("~"):
            if file.shared:
                raise ValueError(f"{argument!r}: the system's file cannot include from a home directory")
            argument = expand_tilde(argument, self._local)
        elif not argument.startswith("/"):
            base = self._local.system if file.shared else f"{self._local.home.rstrip('/')}/.ssh"
            argument = f"{base}/{argument}"
        return sorted(glob.glob(argument))  # noqa: PTH207 - Path.glob takes no absolute patterns

    def _load(self, file: _File) -> str | None:
        """Return the text of a file; None when there is none, which is a problem only for one that must be there."""
        config = self._config
        try:
            if len(config.files) >= _MOST_FILES:
                raise OSError(f"more than {_MOST_FILES:,} files are included")
            return _read_text(file)
        except FileNotFoundError:
            if file.required:
                config.problems.append(Problem(file.path, 0, 0, "there is no such ssh_config file", "check the path"))
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            problem = Problem(file.path, 0, 0, message)
            config.problems.append(problem)
        return None


def _read_text(file: _File) -> str | None:
    """Return the text of a file. Raises OSError for one that cannot be read, or that others could have written."""
    path = Path(file.path)
    status = path.stat()
    if file.path == os.devnull:
        return ""
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file: reading it might never end")
    if file.owned and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022):
        raise OSError(f"others can change it (mode {stat.S_IMODE(status.st_mode):04o}), so ssh does not read it either")
    with path.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(f"larger than {_MOST_BYTES // 2**20} MiB")
    return data.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that says something."""

    file: _File
    number: int
    text: str
    keyword: str
    rest: str

    @property
    def name(self) -> str:
        return NAMES.get(self.keyword, self.keyword)

    @property
    def origin(self) -> Origin:
        return Origin(file=self.file.path, line=self.number)

    def problem(self, message: str, hint: str = "") -> Problem:
        column = len(self.text) - len(self.text.lstrip()) + 1
        return Problem(self.file.path, self.number, column, message, hint, self.text)
