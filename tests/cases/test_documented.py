"""docs/policies.md: the cases it shows load, and the diff it shows is what is really printed."""

import re
from pathlib import Path

from auditor.cases import load_cases
from tests.builders import a_policy_set
from tests.cli.program import ROOT, netaudit, write_files

TEXT = (ROOT / "docs/policies.md").read_text()
SECTION = TEXT.partition("### Tests")[2].partition("\n### ")[0]
POLICY = "# Front ends.\nversion: 1\npolicy: web\napplies_to: {groups: [web]}\nallow: [{id: admin, port: 9999/tcp}]\n"


def block(start: str) -> str:
    found = re.search(rf"({start}.*?)```", SECTION, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_cases_load(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(block("version: 1\n"))
    assert [case.name for case in load_cases([path], a_policy_set())] == [
        "a front end as it should be",
        "a front end that shows too much, and not the site",
    ]


def test_the_diff_is_what_is_printed(tmp_path: Path) -> None:
    write_files(tmp_path, policies_web__yaml=POLICY, policies_tests_web__yaml=block("version: 1\n"))
    shown = netaudit("policy", "test", "policies", cwd=tmp_path).stdout
    assert block("FAIL ") in shown
