"""A YAML document with positions: what is read, what is refused, and where the finger points."""

import codecs
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor import document as documents
from auditor.document import Disputed, FileModel, Unset, composition, parse_document, read_document, salvage, validate
from auditor.document.scalars import resolve
from auditor.errors import DocumentError
from tests.builders import told

ROOT = Path(__file__).parents[1]


class Inner(FileModel):
    port: int | Unset = None
    timeout: float | Unset = None
    sudo: bool | Unset = None
    user: str | Unset = None
    mode: Literal["fast", "slow"] | Unset = None
    names: list[str] | Unset = None


class Outer(FileModel):
    version: int
    inner: Inner | Unset = None
    items: list[Inner] | Unset = None
    labels: dict[str, str] | Unset = None


class Item(FileModel):
    name: str
    size: int


class Listing(FileModel):
    items: list[Item]


def tree_of(text: str) -> Any:
    return parse_document(text.encode(), "x.yaml").tree()


def problems_of(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DocumentError) as caught:
        validate(parse_document(data, "x.yaml"), Outer)
    return told(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22", 22),
        ("-1", -1),
        ("0", 0),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("y", "y"),
        ("nO", "nO"),
        ("none", "none"),
        ("2026-12-31", "2026-12-31"),
        ("10.0.0.1", "10.0.0.1"),
        ("fe80::1", "fe80::1"),
        ("443/tcp", "443/tcp"),
        ("1h", "1h"),
        ("+", "+"),
        ("'22'", "22"),
        ('"true"', "true"),
        ("'no'", "no"),
        ('"022"', "022"),
        ("٢٢", "٢٢"),
        ("=", "="),
        ("no", Disputed("no")),
        ("On", Disputed("On")),
        ("YES", Disputed("YES")),
        ("022", Disputed("022")),
        ("-08", Disputed("-08")),
        ("0x16", Disputed("0x16")),
        ("0o22", Disputed("0o22")),
        ("0b11", Disputed("0b11")),
        ("22:22", Disputed("22:22")),
        ("1:30:05.5", Disputed("1:30:05.5")),
        ("1_0", Disputed("1_0")),
        ("+22", Disputed("+22")),
        ("+1.5", Disputed("+1.5")),
        ("+.5", Disputed("+.5")),
        ("1e100", Disputed("1e100")),
        (".inf", Disputed(".inf")),
        ("-.INF", Disputed("-.INF")),
        (".nan", Disputed(".nan")),
        ("9" * 19, Disputed("9" * 19)),
    ],
)
def test_a_scalar_is_what_every_reader_takes_it_for_or_disputed(text: str, value: object) -> None:
    read = tree_of(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


@given(text=st.text("0123456789_+-.:exobnasyfINF", min_size=1, max_size=8))
def test_what_is_text_here_is_text_to_a_reader_of_yaml_1_1(text: str) -> None:
    """PyYAML's resolver is one; dates are the exception, as everybody reads the same one."""
    tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's
    if isinstance(resolve(text), str) and text not in ("y", "Y", "n", "N"):
        assert tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")


def test_keys_are_text_as_written() -> None:
    assert tree_of("on: 1\n22: 2\n~: 3\n0x16: 4\n") == {"on": 1, "22": 2, "~": 3, "0x16": 4}


@pytest.mark.parametrize("prefix", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_utf8_with_or_without_a_mark_and_either_newline(prefix: bytes, newline: bytes) -> None:
    document = parse_document(prefix + b"version: 1" + newline + b"labels: {a: \xc3\xa9}" + newline, "x.yaml")
    assert document.tree() == {"version": 1, "labels": {"a": "é"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("version: 1\ninner:\n\tport: 1\n", ["3:1 a tab is used for indentation | indent with"], id="tab"),
        pytest.param(
            "version: 1\nversion: 2\n", ["2:1 duplicate key 'version', first on line 1 | keep one"], id="duplicate"
        ),
        pytest.param("version: &a 1\n", ["1:10 anchor &a: anchors are not allowed | write the value out"], id="anchor"),
        pytest.param(
            "version: 1\nlabels: &a {x: *a}\n",
            ["2:9 anchor &a", "2:16 alias *a: aliases are not allowed"],
            id="recursive-alias",
        ),
        pytest.param("version: 1\nlabels: *b\n", ["2:9 alias *b: aliases"], id="undefined-alias"),
        pytest.param("version: 1\n<<: {a: b}\n", ["2:1 merge keys (<<) are not allowed"], id="merge"),
        pytest.param("version: !!int 1\n", ["1:10 tag !!int: tags are not allowed | remove the tag"], id="core-tag"),
        pytest.param(
            "version: 1\ninner: !!python/object:os.system {}\n",
            ["2:8 tag !!python/object:os.system: tags are not allowed"],
            id="python-tag",
        ),
        pytest.param("version: !vault x\n", ["1:10 tag !vault: tags"], id="own-tag"),
        pytest.param("version: 1\n--- \nversion: 1\n", ["2:1 a second document starts here | one file"], id="two"),
        pytest.param("version: 1\n? [a]\n: 1\n", ["2:3 a key must be one word"], id="list-as-key"),
        pytest.param("version: 1\nlabels: {'': a}\n", ["2:10 there is no key before this colon"], id="no-key"),
        pytest.param("", ["0:1 the file is empty, or holds only comments | start with `version: 1`"], id="empty"),
        pytest.param("# nothing\n", ["0:1 the file is empty"], id="only-comments"),
        pytest.param("null\n", ["0:1 the file is empty"], id="null"),
        pytest.param("---\n...\n", ["0:1 the file is empty"], id="markers"),
        pytest.param("- a\n", ["1:1 expected `key: value` lines, found a list"], id="list"),
        pytest.param("hello\n", ["1:1 expected `key: value` lines, found only a value"], id="text"),
        pytest.param("a: b: c\n", ["1:5 not valid YAML: mapping values are not allowed"], id="colon"),
        pytest.param("a: [1, 2\nb: 1\n", ["2:2 not valid YAML:"], id="open-bracket"),
        pytest.param("a: 'x\n", ["2:1 not valid YAML: found unexpected end of stream | a quote"], id="open-quote"),
        pytest.param("a: @x\n", ["1:4 not valid YAML: found character that cannot start any token"], id="at-sign"),
        pytest.param("a:\n  b: 1\n c: 2\n", ["3:2 not valid YAML: did not find expected key"], id="dedent"),
        pytest.param("a: 1\nb: \x07\n", ["2:4 the control character U+0007 stands here"], id="bell"),
        pytest.param("a: \u2028\ud7ff\ufffe", ["2:2 the control character U+FFFE"], id="line-separator-counts"),
        pytest.param(b"a: 1\nb: \xff\n", ["2:4 byte 0xff is not UTF-8 | save it as UTF-8"], id="latin-1"),
        pytest.param("a: 1".encode("utf-16"), ["0:0 not text in UTF-8 (UTF-16, or binary)"], id="utf-16"),
        pytest.param("a: 1".encode("utf-16-le"), ["0:0 not text in UTF-8"], id="utf-16-without-mark"),
        pytest.param(b"\x7fELF\x02\x01\x01\x00\x00", ["0:0 not text in UTF-8"], id="binary"),
        pytest.param(b"#" * (10 * 1024 * 1024 + 1), ["0:0 larger than 10 MiB | split"], id="too-large"),
        pytest.param("a: " + "[" * 100_000, ["1:53 nested more than 50 levels deep"], id="deep-flow"),
        pytest.param("- " * 100_000 + "a", ["1:101 nested more than 50 levels deep"], id="deep-block"),
    ],
)
def test_what_is_not_a_document_is_refused_with_its_place(text: str | bytes, expected: list[str]) -> None:
    problems = problems_of(text)
    assert [problem.startswith(start) for problem, start in zip(problems, expected, strict=True)] == [True] * len(
        expected
    ), problems


def test_an_alias_bomb_costs_nothing() -> None:
    """Ten levels of nine aliases each would be 9^10 values."""
    lines = ["version: 1", "a0: &a0 [lol]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 11)]
    problems = problems_of("\n".join(lines))
    assert len([problem for problem in problems if "alias" in problem.split("|")[0]]) == 90


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("port: 022", "3:9 expected a whole number, found '022' | write 22"),
        ("port: 0x16", "3:9 expected a whole number, found '0x16' | write the decimal number: 22"),
        ("port: 22:22", "3:9 expected a whole number, found '22:22' | write one number without a colon"),
        ("port: 1_0", "3:9 expected a whole number, found '1_0' | write 10"),
        ("port: +22", "3:9 expected a whole number, found '+22' | write 22"),
        ("port: '22'", "3:9 expected a whole number, found the text '22' | write 22 without quotes"),
        ("port: 22.5", "3:9 expected a whole number, found 22.5 | "),
        ("port: ssh", "3:9 expected a whole number, found 'ssh' | "),
        ("port: true", "3:9 expected a whole number, found true | "),
        ("port: [22]", "3:9 expected a whole number, found a list | "),
        ("port:", "3:3 nothing stands after this key | write a value, or remove the line"),
        ("timeout: 1:30", "3:12 expected a number, found '1:30' | write one number without a colon"),
        ("sudo: yes", "3:9 expected true or false, found 'yes' | write true"),
        ("sudo: no", "3:9 expected true or false, found 'no' | write false"),
        ("sudo: on", "3:9 expected true or false, found 'on' | write true"),
        ("sudo: 'true'", "3:9 expected true or false, found the text 'true' | write true"),
        ("sudo: 1", "3:9 expected true or false, found 1 | write true or false"),
        ("user: 10", '3:9 expected text, found 10 | put it in quotes: "10"'),
        ("user: true", '3:9 expected text, found true | put it in quotes: "true"'),
        ("user: 1_0", "3:9 expected text, found '1_0', which is something else to some YAML readers | put it in"),
        ("user: no", "3:9 expected text, found 'no', which is something else to some YAML readers"),
        ("names: on", "3:10 expected a list, found 'on' | write [\"on\"]"),
        ("user: {a: b}", "3:9 expected text, found a mapping | "),
        ("names: a", "3:10 expected a list, found 'a' | write [a]"),
        ("names: [a, 1]", '3:14 expected text, found 1 | put it in quotes: "1"'),
        ("mode: fsat", "3:9 expected fast or slow, found 'fsat' | did you mean 'fast'?"),
        ("prot: 22", "3:3 unknown key 'prot' | did you mean 'port'?"),
        ("zzz: 22", "3:3 unknown key 'zzz' | known here: mode, names, port, sudo, timeout, user"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(line: str, expected: str) -> None:
    problems = problems_of(f"version: 1\ninner:\n  {line}\n")
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_every_mistake_of_a_file_is_told_at_once_in_order_of_place() -> None:
    text = "inner: {prt: 1, port: 022}\nitems:\n  - user: 1\n    user: 2\n  - {sudo: yes, zap: 1}\nlabels: {a: 1}\n"
    assert [problem.partition(" | ")[0] for problem in problems_of(text)] == [
        "1:1 the key 'version' is missing",
        "1:9 unknown key 'prt'",
        "1:23 expected a whole number, found '022'",
        "3:11 expected text, found 1",
        "4:5 duplicate key 'user', first on line 3",
        "5:12 expected true or false, found 'yes'",
        "5:17 unknown key 'zap'",
        "6:13 expected text, found 1",
    ]


def test_salvage_keeps_the_rest_and_its_places() -> None:
    document = parse_document(b"version: 1\nitems:\n  - 5\n  - {port: x, user: a}\n  - user: b\n", "x.yaml")
    kept = salvage(document, Outer)
    assert [item.user for item in kept.items or ()] == ["a", "b"]
    assert document.origin(("items", 1)).line == 5
    assert document.is_damaged(("items", 0))
    assert not document.is_damaged(("items", 1))
    with pytest.raises(DocumentError) as caught:
        document.finish()
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(3, 5), (4, 12)]


def test_an_item_taken_out_does_not_make_the_next_ones_mistake_a_second_one() -> None:
    """The first item is taken out whole: what the second lacked stands one place further up then."""
    with pytest.raises(DocumentError) as caught:
        validate(parse_document(b"items:\n  - {name: a}\n  - {name: b, size: x}\n", "x.yaml"), Listing)
    assert [problem.partition(" | ")[0] for problem in told(caught.value)] == [
        "2:5 the key 'size' is missing",
        "3:21 expected a whole number, found 'x'",
    ]


def test_the_line_is_shown_with_a_caret_under_the_mistake() -> None:
    with pytest.raises(DocumentError) as caught:
        validate(parse_document(b"version: 1\ninner: {port: 022}\n", "x.yaml"), Outer)
    assert str(caught.value).splitlines()[:3] == [
        "x.yaml:2:15: error: expected a whole number, found '022'",
        "  inner: {port: 022}",
        "                ^",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "password: hunter2",
        "{passphrase: hunter2, a: b}",
        "Secret: hunter2",
        "password: @hunter2",
        "password:\n    hunter2",
        "password: |\n\n    hunter2",
        "password: |\n    xx\n    hunter2\x07",
        "password: 'env: hunter2'",
        "password:\n    [!x hunter2]",
    ],
)
def test_a_line_that_may_hold_a_secret_is_never_shown(lines: str) -> None:
    with pytest.raises(DocumentError) as caught:
        validate(parse_document(f"version: 1\ninner:\n  {lines}\n".encode(), "x.yaml"), Outer)
    assert "hunter2" not in str(caught.value)


def test_a_line_that_holds_a_reference_is_shown() -> None:
    document = parse_document(b"password: env:SECRET\n", "x.yaml")
    document.complain(("password",), "x")
    assert document.problems[0].source == "password: env:SECRET"


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    """`printf 'version: 1\\n' | sha256sum`."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"version: 1\n")
    assert read_document(path).sha256 == "09bfcc6a14b83e2192b8673677725c84883ee9cd0c70e45c9ec09daa8f2b2847"


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent.yaml", "there is no such file"), (".", "cannot be read: Is a directory"), ("a\0b", "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_a_problem_of_the_whole_file(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / name)
    assert [(problem.line, problem.message.startswith(message)) for problem in caught.value.problems] == [(0, True)]


def test_the_public_names_are_there() -> None:
    assert all(hasattr(documents, name) for name in documents.__all__)


def _read_anything(data: bytes) -> None:
    told_as = ""
    try:
        validate(parse_document(data, "x.yaml"), Outer)
    except DocumentError as error:
        told_as = str(error)
    assert told_as == "" or told_as.startswith("x.yaml:")


_YAMLISH = st.text(alphabet=st.sampled_from(" \n\t:-?[]{}&*!|>'\"%@`#,.~<=ab01x_vernio\\u\u2028\r\x85"), max_size=80)


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _read_anything(data)


@given(_YAMLISH)
def test_any_punctuation_is_read_or_refused(text: str) -> None:
    _read_anything(f"version: 1\nlabels: {text}\n".encode())
    _read_anything(text.encode())


@given(_YAMLISH)
def test_both_parsers_of_the_library_are_survived(text: str) -> None:
    """PyYAML without libyaml has its own parser."""
    import yaml

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "_Loader", yaml.BaseLoader)
        _read_anything(text.encode())


def test_both_parsers_of_the_library_agree_about_the_files_we_ship() -> None:
    import yaml

    for path in (ROOT / "inventory.example.yaml", *(ROOT / "policies").glob("*.yaml")):
        fast = read_document(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(composition, "_Loader", yaml.BaseLoader)
            slow = read_document(path)
        assert _places(slow.root) == _places(fast.root)


def _places(node: composition.Node) -> object:
    if isinstance(node.content, dict):
        inside: object = [(_places(key), _places(value)) for key, value in node.content.values()]
    else:
        inside = [_places(item) for item in node.content] if isinstance(node.content, list) else node.content
    return (node.line, node.column, node.plain, inside)


_SCALARS = st.one_of(st.integers(-999, 999), st.booleans(), st.text(st.characters(categories=["L", "N", "Z"])))
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc-", min_size=1), inner, max_size=3),
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), _TREES, max_size=4))
def test_json_is_read_as_json(tree: dict[str, Any]) -> None:
    """JSON is YAML 1.2, so another writer and its own reader agree with ours."""
    import json

    if tree:
        assert parse_document(json.dumps(tree, ensure_ascii=False).encode(), "x.json").tree() == tree
