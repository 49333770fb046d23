"""Settings from netaudit.toml, or [tool.netaudit] in pyproject.toml, as defaults for the command line.

The order of precedence is flag, NETAUDIT_* variable, netaudit.toml, pyproject.toml, built-in default. Inside a
repository the search goes upwards from the working directory to its root; elsewhere only the working directory counts.
A file that somebody else could have put there decides nothing: it ends the command.
"""

import difflib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from auditor.errors import DocumentError, Problem, UsageError

KEYS: Mapping[str, tuple[type, str]] = {
    "policy": (list, "a list of paths"),
    "limit": (str, "a host pattern"),
    "jobs": (int, "a whole number"),
    "procs": (int, "a whole number"),
    "timeout": (float, "a number of seconds"),
    "fail_on": (str, "a severity"),
    "baseline": (str, "a path"),
    "fail_on_new": (bool, "true or false"),
    "strict": (bool, "true or false"),
    "owners": (bool, "true or false"),
    "output": (list, "a list of FORMAT or FORMAT=PATH"),
    "output_dir": (str, "a path"),
    "title": (str, "a text"),
    "logo": (str, "a path"),
    "ssh_config": (str, "a path, or none"),
    "allow_empty": (bool, "true or false"),
    "color": (str, "auto, always or never"),
}
"""Every setting: the flag of the same name, with its type."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "fail_on": ("critical", "high", "medium", "low", "info"),
    "color": ("auto", "always", "never"),
}
RANGES: Mapping[str, tuple[float, float]] = {"jobs": (1, 1024), "procs": (1, 64), "timeout": (1, 3600)}
PATHS = ("policy", "output_dir", "logo", "baseline", "ssh_config")

Settings = dict[str, object]


def find_settings(start: Path) -> tuple[Settings, list[Path]]:
    """Return the settings in force at `start`, and the files they are from. Paths in them are relative to their file.

    Raises DocumentError with every mistake, and UsageError for a file that is not the user's own.
    """
    found: Settings = {}
    files: list[Path] = []
    for name, table in (("pyproject.toml", "tool.netaudit"), ("netaudit.toml", "")):
        for path in (folder / name for folder in _folders(start)):
            section = _read_section(path, table) if path.is_file() else None
            if section is not None:
                found |= _resolve(_check(path, section, table), path.parent)
                files.append(path)
                break
    return found, files


def _folders(start: Path) -> list[Path]:
    """Return the folders to look in: up to the root of the repository, or only `start`."""
    folders = [start, *start.parents]
    roots = [number for number, folder in enumerate(folders) if (folder / ".git").exists()]
    return folders[: roots[0] + 1] if roots else [start]


def _read_section(path: Path, table: str) -> dict[str, object] | None:
    """Return the settings of a file, None when it has none."""
    content: object = _read(path)
    for part in table.split(".") if table else ():
        content = content.get(part) if isinstance(content, dict) else None
    if not isinstance(content, dict):
        return None
    status = path.stat()
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & stat.S_IWOTH:
        raise UsageError(
            f"{path} can be changed by others, so its settings are not used",
            "make it your own (chown) and not writable by all (chmod o-w), or run from another folder",
        )
    return content


def _resolve(settings: Settings, folder: Path) -> Settings:
    """Return the settings with paths relative to `folder` made good for the working directory."""

    def place(value: object) -> object:
        return os.path.relpath(folder / Path(str(value)).expanduser()) if folder != Path.cwd() else value

    resolved = dict(settings)
    for key in PATHS:
        value = settings.get(key)
        if isinstance(value, list):
            resolved[key] = [place(each) for each in value]
        elif value is not None and (key, value) != ("ssh_config", "none"):
            resolved[key] = place(value)
    return resolved


def _read(path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (0, 0)
        message = str(error).partition(" (at ")[0]
        raise DocumentError([Problem(str(path), line, column, f"not valid TOML: {message}")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError([Problem(str(path), 0, 0, f"cannot be read: {error}")]) from None


def _check(path: Path, section: Mapping[str, object], table: str) -> Settings:
    problems = [problem for key, value in section.items() if (problem := _find_problem(path, key, value, table))]
    if problems:
        raise DocumentError(problems)
    return dict(section)


def _find_problem(path: Path, key: str, value: object, table: str) -> Problem | None:
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known settings: {', '.join(KEYS)}"
        return _place(path, key, table, f"unknown setting '{key}'", hint)
    expected, wording = KEYS[key]
    fits = isinstance(value, (int, float) if expected is float else expected)
    if not fits or (isinstance(value, bool) and expected is not bool):
        return _place(path, key, table, f"'{key}' must be {wording}, not {value!r}", "")
    if key in CHOICES and value not in CHOICES[key]:
        near = difflib.get_close_matches(str(value), CHOICES[key], n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(CHOICES[key])}"
        return _place(path, key, table, f"'{key}' cannot be {value!r}", hint)
    if key in RANGES and isinstance(value, int | float):
        low, high = RANGES[key]
        if not low <= value <= high:
            return _place(path, key, table, f"'{key}' must be from {low:g} to {high:g}, not {value!r}", "")
    return None


def _place(path: Path, key: str, table: str, message: str, hint: str) -> Problem:
    """Return a problem at the line where `key` is set; tomllib keeps no positions, so the line is looked up.

    It may be set as `key = …`, as `[key]`, or within `table = {…}`; a dotted name may say any part of the way.
    """
    wanted = [*(table.split(".") if table else ()), key]
    section: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        header = re.match(r"\s*\[\[?([^]]+)]", line)
        name = re.match(r"\s*([^=#]+?)\s*=\s*", line)
        if header:
            way = section = _split_name(header[1])
        elif name:
            way = [*section, *_split_name(name[1])]
        else:
            continue
        inline = name is not None and line.startswith("{", name.end()) and wanted[: len(way)] == way and key in line
        if way[: len(wanted)] == wanted or inline:
            return Problem(str(path), number, len(line) - len(line.lstrip()) + 1, message, hint, line)
    return Problem(str(path), 0, 0, message, hint)


def _split_name(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]
