"""Settings files: which one counts, and what a mistake in one looks like."""

from pathlib import Path

import pytest

from auditor.cli.settings import find_settings
from auditor.errors import DocumentError


def test_netaudit_toml_wins_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text('jobs = 5\nfail_on = "high"\n')
    (tmp_path / "pyproject.toml").write_text("[tool.netaudit]\njobs = 9\n")
    assert find_settings(tmp_path) == {"jobs": 5, "fail_on": "high"}


def test_pyproject_section_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\njobs = 1\n\n[tool.netaudit]\npolicy = ["p"]\n')
    assert find_settings(tmp_path) == {"policy": ["p"]}


def test_search_goes_up_to_the_root_of_the_repository_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text("jobs = 5\n")
    inside = tmp_path / "repo" / "deep"
    inside.mkdir(parents=True)
    assert find_settings(inside) == {"jobs": 5}
    (tmp_path / "repo" / ".git").mkdir()
    assert find_settings(inside) == {}


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


def test_broken_toml_is_placed(tmp_path: Path) -> None:
    (tmp_path / "netaudit.toml").write_text("jobs = 5\nlimit = = 3\n")
    with pytest.raises(DocumentError, match=r"netaudit.toml:2:9: error: not valid TOML"):
        find_settings(tmp_path)
