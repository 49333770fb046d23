"""Settings files: which one counts, and what a mistake in one looks like."""

import os
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from auditor.cli import app
from auditor.cli.settings import find_settings
from auditor.cli.variables import find_misspelt
from auditor.errors import DocumentError, UsageError
from tests.cli.program import netaudit


def test_netaudit_toml_wins_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text('jobs = 5\nfail_on = "high"\n')
    (tmp_path / "pyproject.toml").write_text("[tool.netaudit]\njobs = 9\ntimeout = 7\n")
    settings, files = find_settings(tmp_path)
    assert settings == {"jobs": 5, "fail_on": "high", "timeout": 7}
    assert files == [tmp_path / "pyproject.toml", tmp_path / "netaudit.toml"]


def test_pyproject_section_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\njobs = 1\n\n[tool.netaudit]\npolicy = ["p"]\n')
    assert find_settings(tmp_path)[0] == {"policy": [os.path.relpath(tmp_path / "p")]}


def test_the_search_goes_up_to_the_root_of_the_repository_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text("jobs = 5\n")
    inside = tmp_path / "repo" / "deep"
    inside.mkdir(parents=True)
    assert find_settings(inside) == ({}, [])
    (tmp_path / "repo" / ".git").mkdir()
    assert find_settings(inside) == ({}, [])
    (tmp_path / "repo" / "netaudit.toml").write_text("jobs = 6\n")
    assert find_settings(inside)[0] == {"jobs": 6}


def test_paths_are_relative_to_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "netaudit.toml").write_text('policy = ["rules"]\noutput_dir = "out"\n')
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert find_settings(tmp_path / "deep")[0] == {"policy": ["../rules"], "output_dir": "../out"}
    monkeypatch.chdir(tmp_path)
    assert find_settings(tmp_path)[0] == {"policy": ["rules"], "output_dir": "out"}


def test_a_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text('fail_on = "critical"\n')
    (tmp_path / "netaudit.toml").chmod(0o666)
    with pytest.raises(UsageError, match="can be changed by others"):
        find_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ('fail_on = "hihg"', "'fail_on' cannot be 'hihg'", "did you mean 'high'?"),
        ("jobs = 0", "'jobs' must be from 1 to 1024, not 0", ""),
        ("timeout = -3", "'timeout' must be from 1 to 3600, not -3", ""),
    ],
)
def test_values_are_checked_where_they_stand(line: str, message: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text(f"# settings\n{line}\n")
    with pytest.raises(DocumentError) as caught:
        find_settings(tmp_path)
    assert [(each.line, each.message, each.hint) for each in caught.value.problems] == [(2, message, hint)]


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text(
        'jobs = 5\nfail_one = "high"\ntimeout = "long"\nallow_empty = 1\njobs2 = 1\n'
    )
    with pytest.raises(DocumentError) as caught:
        find_settings(tmp_path)
    places = [(problem.line, problem.message, problem.hint) for problem in caught.value.problems]
    assert places == [
        (2, "unknown setting 'fail_one'", "did you mean 'fail_on'?"),
        (3, "'timeout' must be a number of seconds, not 'long'", ""),
        (4, "'allow_empty' must be true or false, not 1", ""),
        (5, "unknown setting 'jobs2'", "did you mean 'jobs'?"),
    ]


def test_a_key_of_the_same_name_in_another_table_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nspeed = 1\n\n[tool.netaudit]\nspeed = 2\n")
    with pytest.raises(DocumentError) as caught:
        find_settings(tmp_path)
    assert [problem.line for problem in caught.value.problems] == [5]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("netaudit.toml", "jobs = 5\n[run]\njobs = 4\n", 2),
        ("netaudit.toml", "jobs = 5\n[[run]]\njobs = 4\n", 2),
        ("netaudit.toml", "\n[run.more]\njobs = 4\n", 2),
        ("netaudit.toml", "\nrun.jobs = 4\n", 2),
        ("netaudit.toml", "\n'run' = 4\n", 2),
        ("netaudit.toml", "\n  run = {jobs = 4}\n", 2),
        ("pyproject.toml", "[run]\na = 1\n[tool.netaudit.run]\njobs = 4\n", 3),
        ("pyproject.toml", "[run]\na = 1\n[tool.netaudit]\n'run' = 4\n", 4),
        ("pyproject.toml", "run = 1\n[tool]\nnetaudit.run = 4\n", 3),
        ("pyproject.toml", "run = 1\n[tool]\nnetaudit = {run = 4}\n", 3),
    ],
)
def test_an_unknown_setting_is_found_however_it_is_written(file: str, text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(DocumentError) as caught:
        find_settings(tmp_path)
    assert [(each.line, each.message) for each in caught.value.problems] == [(line, "unknown setting 'run'")]


def test_every_variable_of_an_option_is_known() -> None:
    said = [one for command in app.registered_commands for one in _list_variables(command.callback)]
    assert "NETAUDIT_POLICY" in said
    assert list(find_misspelt(said)) == []
    assert sorted({name for name in said if not list(find_misspelt([f"{name}X"]))}) == []


def _list_variables(command: object) -> list[str]:
    hints = get_type_hints(command, include_extras=True).values()
    return [str(part.envvar) for hint in hints for part in get_args(hint)[1:] if getattr(part, "envvar", None)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("NETAUDIT_JOB", "NETAUDIT_JOBS"), ("NETAUDIT_FAILON", "NETAUDIT_FAIL_ON"), ("NETAUDIT_COLOUR", "NETAUDIT_COLOR")],
)
def test_a_misspelt_variable_is_told_once_with_what_was_meant(name: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("version: 1\nhosts: {a: {user: u}}\n")
    done = netaudit("hosts", "i.yaml", cwd=tmp_path, **{name: "none-of-your-business"})
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f"warning: the variable {name} means nothing here: did you mean {meant}?"]


def test_no_variable_that_may_hold_a_secret_is_told() -> None:
    names = (
        "NETAUDIT_PASSWORD",
        "NETAUDIT_LOGON",
        "NETAUDIT_REDACT_KEYS",
        "NETAUDIT_OWNERS_PW",
        "JOBS",
    )
    assert list(find_misspelt(names)) == []


def test_broken_toml_is_placed(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text("jobs = 5\nlimit = = 3\n")
    with pytest.raises(DocumentError, match=r"netaudit.toml:2:9: error: not valid TOML"):
        find_settings(tmp_path)
