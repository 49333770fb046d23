"""Compiled templates are kept where Python keeps bytecode, and only ever save time."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from pathlib import Path
from unittest.mock import patch

import pytest
from jinja2 import Environment, FileSystemLoader

from auditor.reporters import template_bytecode
from auditor.reporters.html import render
from auditor.reporters.html_template import environment
from auditor.reporters.template_bytecode import TemplateBytecode
from tests.reporters.fleet import fleets

TEXT = "{% for name in names %}Hello {{ name }}! {% endfor %}"


@pytest.fixture(autouse=True)
def as_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps bytecode, unless whoever runs the tests has said otherwise."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "hello.html"
    path.write_text(TEXT)
    return path


def kept(template: Path) -> Path:
    """Return where the bytecode of a template is, the name of the file kept whole."""
    module = Path(cache_from_source(template.with_name("module.py")))
    return module.with_name(module.name.replace("module", template.name))


def show(template: Path) -> str:
    """Render a template as a new process would, which has nothing in memory."""
    made = Environment(loader=FileSystemLoader(template.parent), bytecode_cache=TemplateBytecode(), autoescape=True)
    return made.get_template(template.name).render(names=["Ada"])


def show_kept(template: Path) -> str:
    """Render what is kept, without a compiler."""
    with patch.object(Environment, "compile", side_effect=AssertionError("compiled anew")):
        return show(template)


def test_the_second_run_compiles_nothing(template: Path) -> None:
    assert show(template) == "Hello Ada! "
    assert show_kept(template) == "Hello Ada! "
    assert [path.name for path in kept(template).parent.iterdir()] == [kept(template).name]


def test_a_new_text_is_compiled_anew_and_takes_the_place_of_the_old(template: Path) -> None:
    show(template)
    age = template.stat()
    template.write_text(TEXT.replace("Hello", "Salut"))  # of the same length, and then of the same age
    os.utime(template, ns=(age.st_atime_ns, age.st_mtime_ns))
    assert show(template) == "Salut Ada! "
    assert show_kept(template) == "Salut Ada! "


@pytest.mark.parametrize("what", ["nothing", "half", "one bit", "something else"])
def test_a_damaged_file_is_not_believed_and_is_mended(template: Path, what: str) -> None:
    show(template)
    whole = kept(template).read_bytes()
    for at in range(0, len(whole), 7) if what in ("half", "one bit") else [0]:
        bit = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        kept(template).write_bytes({"nothing": b"", "half": whole[:at], "one bit": bit}.get(what, b"\x80\x04."))
        assert show(template) == "Hello Ada! "
        assert kept(template).read_bytes() == whole


def test_what_another_compiler_made_is_not_taken(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show(template)
    monkeypatch.setattr(template_bytecode, "_hash_makers", lambda: b"another jinja2")
    with pytest.raises(AssertionError, match="compiled anew"):
        show_kept(template)
    assert show(template) == "Hello Ada! "


def test_the_compiler_is_all_of_jinja2_that_compiles_and_our_options() -> None:
    with patch.object(Path, "read_bytes", autospec=True, side_effect=Path.read_bytes) as reading:
        template_bytecode._hash_makers.__wrapped__()
    read = {call.args[0].name for call in reading.call_args_list}
    assert {"compiler.py", "lexer.py", "parser.py", "nodes.py", "optimizer.py", "html_template.py"} <= read


def test_nothing_is_written_when_python_writes_no_bytecode(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert show(template) == "Hello Ada! "
    assert not kept(template).exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    show(template)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert show_kept(template) == "Hello Ada! "


def test_bytecode_that_belongs_elsewhere_goes_there(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "prefix"))
    show(template)
    assert show_kept(template) == "Hello Ada! "
    assert kept(template).is_relative_to(tmp_path / "prefix")
    assert kept(template).exists()
    assert not (tmp_path / "__pycache__").exists()


def test_a_place_that_takes_nothing_costs_no_report(template: Path) -> None:
    kept(template).parent.write_text("a file stands where the folder would be")
    assert show(template) == "Hello Ada! "
    assert show(template) == "Hello Ada! "


def test_files_that_differ_only_in_their_last_letters_do_not_meet(template: Path) -> None:
    script = template.with_suffix(".js")
    script.write_text("hello()")
    for _ in range(2):
        assert show(template) == "Hello Ada! "
        assert show(script) == "hello()"
    assert kept(template) != kept(script)


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_nobody_else_may_write_what_is_kept(template: Path, no_umask: None) -> None:
    show(template)
    assert kept(template).stat().st_mode & 0o022 == 0


def test_many_at_once_do_not_disturb_each_other(template: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(show, [template] * 64)) == {"Hello Ada! "}
    assert show_kept(template) == "Hello Ada! "
    assert [path.name for path in kept(template).parent.iterdir()] == [kept(template).name]


def test_a_report_of_kept_templates_is_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    report = fleets()["mixed"]
    environment.cache_clear()
    compiled = render(report)
    environment.cache_clear()
    with patch.object(Environment, "compile", side_effect=AssertionError("compiled anew")):
        assert render(report) == compiled
