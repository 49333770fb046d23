"""`netaudit init`: what it writes works as it is, and nothing is overwritten."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from auditor.document import read_document
from tests.cli.program import ROOT, closing, netaudit


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "site"
    result = netaudit("init", folder, "-p", "base", "-p", "web", cwd=folder.parent)
    assert result.returncode == 0, result.stderr
    return folder


def test_it_writes_these_files(site: Path) -> None:
    assert sorted(str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()) == [
        "inventory.yaml",
        "policies/base.yaml",
        "policies/tests/base.yaml",
        "policies/tests/web.yaml",
        "policies/web.yaml",
        "schemas/cases.json",
        "schemas/inventory.json",
        "schemas/policy.json",
    ]


def test_an_editor_finds_the_schema_of_every_file(site: Path) -> None:
    for path in site.rglob("*.yaml"):
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", path.read_text().split("\n")[0])
        assert found is not None
        schema = json.loads((path.parent / found[1]).read_text())
        jsonschema.Draft7Validator(schema).validate(read_document(path).tree())


def test_what_it_writes_works_as_it_is(site: Path) -> None:
    for command in (["policy", "lint", "policies/base.yaml"], ["policy", "test", "policies", "--cover"]):
        result = netaudit(*command, cwd=site)
        assert result.returncode == 0, result.stdout + result.stderr
    assert "this-machine  local" in netaudit("hosts", "inventory.yaml", cwd=site).stdout


def test_the_schemas_are_those_that_netaudit_prints(site: Path) -> None:
    for name in ("policy", "inventory", "cases"):
        assert netaudit("schema", name, cwd=site).stdout == (site / "schemas" / f"{name}.json").read_text()


def test_nothing_is_overwritten(site: Path, tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("mine")
    result = netaudit("init", cwd=tmp_path)
    assert result.returncode == 2
    assert "already there: inventory.yaml; nothing was written" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["inventory.yaml"]


def test_an_unknown_policy_is_told(tmp_path: Path) -> None:
    result = netaudit("init", "-p", "wbe", cwd=tmp_path)
    shipped = ", ".join(sorted(path.stem for path in (ROOT / "policies").glob("*.yaml")))
    assert f"error: there is no shipped policy 'wbe'\n  hint: there are {shipped}\n" in result.stderr
    assert (result.returncode, closing(result)[:7]) == (2, "exit 2:")
