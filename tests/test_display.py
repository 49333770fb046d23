"""What nobody may send to a terminal comes out spelled."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from auditor.display import count_columns, escape, pad


def test_ordinary_text_is_untouched() -> None:
    for text in ("listen on [fe80::1]:22", "Grüße, 東京", "a b\\c", "<b>&amp;"):
        assert escape(text) == text


def test_unsafe_characters_are_spelled_out() -> None:
    assert escape("\x1b[31m\x00\x9b\x7f\n\t") == "\\x1b[31m\\x00\\x9b\\x7f\\x0a\\x09"
    assert escape("\u202eexe\u2066\u200b\ufeff\u2028") == "\\u202eexe\\u2066\\u200b\\ufeff\\u2028"
    assert escape("\udc9b \U000e0041") == "\\udc9b \\U000e0041"


def test_a_limit_is_kept_and_shown() -> None:
    assert escape("abcdef", 4) == "abc…"
    assert escape("abcd", 4) == "abcd"


@given(st.text())
def test_nothing_that_acts_gets_through(text: str) -> None:
    shown = escape(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in shown)
    assert not any(
        unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for character in shown
    )
    shown.encode("utf-8")


@pytest.mark.parametrize(
    "text", ["", "web-01", "Grüße", "東京", "ｗｅｂ", "데이터베이스", "🐘 db", "u\u0308ber", "ไทยที่", "a…"]
)
def test_columns_are_those_that_another_program_counts(text: str) -> None:
    assert count_columns(text) == cell_len(text)


def test_padding_is_counted_in_columns() -> None:
    assert [pad(text, 6) for text in ("東京", "web", "u\u0308ber", "too-long")] == [
        "東京  ",
        "web   ",
        "u\u0308ber  ",
        "too-long",
    ]
