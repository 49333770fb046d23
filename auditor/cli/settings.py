"""Settings from netaudit.toml, or [tool.netaudit] in pyproject.toml, as defaults for the command line.

The order of precedence is flag, NETAUDIT_* variable, netaudit.toml, pyproject.toml, built-in default. The search goes
upwards from the working directory and stops at the root of the repository.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from auditor.errors import DocumentError, Problem

KEYS: Mapping[str, tuple[type, str]] = {
    "policy": (list, "a list of paths"),
    "limit": (str, "a host pattern"),
    "jobs": (int, "a whole number"),
    "timeout": (float, "a number of seconds"),
    "fail_on": (str, "a severity"),
    "output": (list, "a list of FORMAT or FORMAT=PATH"),
    "output_dir": (str, "a path"),
    "allow_empty": (bool, "true or false"),
    "color": (str, "auto, always or never"),
}
"""Every setting: the flag of the same name, with its type."""

Settings = dict[str, object]


def find_settings(start: Path) -> Settings:
    """Return the settings in force at `start`, {} when there are none. Raises DocumentError with every mistake."""
    for folder in (start, *start.parents):
        own, project = folder / "netaudit.toml", folder / "pyproject.toml"
        if own.is_file():
            return _check(own, _read(own), table="")
        if project.is_file():
            tool = _read(project).get("tool")
            section = tool.get("netaudit") if isinstance(tool, dict) else None
            if isinstance(section, dict):
                return _check(project, section, table="tool.netaudit")
        if (folder / ".git").exists():
            break
    return {}


def _read(path: Path) -> dict[str, object]:
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
    return None


def _place(path: Path, key: str, table: str, message: str, hint: str) -> Problem:
    """Return a problem at the line where `key` is set; tomllib keeps no positions, so the line is looked up."""
    inside = not table
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        header = re.match(r"\s*\[([^]]+)]", line)
        if header:
            inside = header[1].strip() == table
        found = re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line) if inside else None
        if found:
            column = len(line) - len(line.lstrip()) + 1
            return Problem(str(path), number, column, message, hint, line)
    return Problem(str(path), 0, 0, message, hint)
