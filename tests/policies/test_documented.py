"""docs/policies.md: the policies it shows can be loaded, and it leaves no key out."""

import re
from pathlib import Path

import pytest

from auditor.document import FileModel
from auditor.policies import load_policies
from auditor.policies.file import EntryFile, PolicyFile, WaiverFile

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if "\npolicy: " in block]


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("\n")[1])
def test_an_example_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "base.yaml").write_text("version: 1\npolicy: base\nallow: [{id: ssh, port: 22/tcp}]\n")
    path = tmp_path / "policies" / "example.yaml"
    path.parent.mkdir()
    path.write_text(text)
    assert len(load_policies([path]).policies) == 1


@pytest.mark.parametrize("model", [PolicyFile, EntryFile, WaiverFile])
def test_every_key_is_described(model: type[FileModel]) -> None:
    """A key stands in an example or in the prose, as code."""
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert [key for key in keys if not re.search(rf"`{key}\b|\b{key}: ", TEXT)] == []
