"""What the fuzzer starts from, and what it ever found, is parsed without an exception and in linear time.

The fuzzer itself runs on demand (`make fuzz`).
"""

import time
from pathlib import Path

import pytest

from auditor.collect.sections import SECTIONS
from auditor.model.facts import HostFacts
from tests.fuzz.answers import WHOLE, parse_input

INPUTS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_every_input_is_parsed(path: Path) -> None:
    facts = parse_input(path.read_bytes())
    assert HostFacts.model_validate_json(facts.model_dump_json()) == facts


def test_the_corpus_reaches_every_section_with_a_grammar() -> None:
    reached = {path.read_bytes()[0] for path in INPUTS}
    names = {SECTIONS[at] for at in reached if at != WHOLE}
    assert WHOLE in reached
    assert names >= {
        "tcp",
        "tcp6",
        "udp",
        "udp6",
        "raw",
        "packet",
        "sctp",
        "unix",
        "services",
        "ip_vs",
        "nat",
        "namespaces",
    }


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_time_grows_with_the_input_and_not_faster(path: Path) -> None:
    """Four times as much may take ten times as long: a quadratic step takes sixteen."""
    data = path.read_bytes()
    few, many = (data[:1] + data[1:] * (times * max(1, 8_000 // len(data))) for times in (1, 4))
    assert _time(many) < 10 * _time(few) + 0.05


def _time(data: bytes) -> float:
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        parse_input(data)
        best = min(best, time.process_time() - began)
    return best
