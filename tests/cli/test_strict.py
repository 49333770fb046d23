"""`--strict`: what rots in the policies fails a run, and says so; without it, it is shown."""

import json
from pathlib import Path

import pytest

from tests.cli.site import LOCAL, netaudit

POLICY = """\
version: 1
policy: here
default: ignore
allow:
  - {id: never, port: 1/tcp, bind: 203.0.113.1}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strict")
    (folder / "inventory.yaml").write_text(LOCAL)
    (folder / "policies").mkdir()
    (folder / "policies" / "here.yaml").write_text(POLICY)
    done = netaudit("run", "inventory.yaml", "-q", "-o", "evidence=e.jsonl.gz", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_an_unused_line_is_shown_and_fails_nothing(site: Path) -> None:
    done = netaudit("check", "e.jsonl.gz", "-o", "json=-", cwd=site)
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "pass")
    assert report["hygiene"] == [
        {
            "kind": "unused-allow",
            "message": "`never` (1/tcp on 203.0.113.1/32) was needed by nothing on 1 host",
            "origin": {"file": "policies/here.yaml", "line": 5, "column": 5},
        }
    ]


@pytest.mark.parametrize("how", ["flag", "variable", "file"])
def test_strict_makes_it_fail(site: Path, how: str) -> None:
    flags = ["--strict"] if how == "flag" else []
    variables = {"NETAUDIT_STRICT": "1"} if how == "variable" else {}
    settings = site / "netaudit.toml"
    if how == "file":
        settings.write_text("strict = true\n")
    try:
        done = netaudit("check", "e.jsonl.gz", *flags, "-o", "json=-", cwd=site, **variables)
    finally:
        settings.unlink(missing_ok=True)
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (1, "fail")
    assert report["exit"] == {"code": 1, "reasons": ["1 problem in the policies (1 unused-allow)"]}
    assert done.stderr.splitlines()[-1] == "exit 1: 1 problem in the policies (1 unused-allow)"
    assert report["hosts"][0]["status"] == "compliant"
