"""`reports/index.html`: every run of the folder, rebuilt by each."""

from pathlib import Path

from auditor.cli.history import write_index
from auditor.reporters import FORMATS
from auditor.reporters.json import render as render_json
from tests.cli.site import make_site, netaudit
from tests.reporters.fleet import mixed_fleet

INDEX = "index.html"


def test_every_run_adds_itself(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    for epoch in ("1700000000", "1700000060"):
        assert netaudit("run", "inventory.yaml", "-q", cwd=site, SOURCE_DATE_EPOCH=epoch).returncode == 0
    folder = site / "reports"
    runs = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    text = (folder / INDEX).read_text()
    assert len(runs) == 2
    assert [text.count(f'<a href="{run}/report.html">') for run in runs] == [1, 1]
    assert text.index(runs[1]) < text.index(runs[0])  # the newest first
    assert "latest/" not in text


def test_a_run_whose_report_is_gone_is_listed_as_unknown_and_other_folders_are_not(tmp_path: Path) -> None:
    for name in ("good", "bad", "html-only", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "good" / FORMATS["json"].file_name).write_bytes(render_json(mixed_fleet()))
    (tmp_path / "bad" / FORMATS["json"].file_name).write_bytes(b"\xff{" + b"x" * 10_000)
    (tmp_path / "html-only" / FORMATS["html"].file_name).write_text("")
    write_index(tmp_path)
    text = (tmp_path / INDEX).read_text()
    assert '<a href="good/report.json">good</a>' in text
    assert text.count("nothing is known of this run") == 2
    assert "notes" not in text


def test_a_chosen_folder_is_nobodys_history(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    assert netaudit("run", "inventory.yaml", "-q", "--output-dir", "out", cwd=site).returncode == 0
    assert not (site / INDEX).exists()
    assert not (site / "out" / INDEX).exists()
