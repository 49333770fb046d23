"""The coverage-guided fuzzer: whatever a host sends, nothing raises, nothing takes more than linear time.

    make fuzz                                   ten minutes
    python -m tests.fuzz -max_total_time=60     any option of libFuzzer; a file name runs that one input

It starts from tests/fuzz/corpus and keeps what it finds in build/fuzz; an input that fails is written there as
crash-… or timeout-… and belongs into tests/fuzz/corpus once it is mended, where the usual tests run it every time.
"""

import sys
import time
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["auditor"]):
    from auditor.model.facts import HostFacts
    from tests.fuzz.answers import parse_input

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path("build/fuzz")
REPEATED = 64
SLOW_S = 5.0
ONE_IN = 50
"""Of so many inputs one is also tried many times over, which takes that much longer."""


def test_one_input(data: bytes) -> None:
    facts = parse_input(data)
    if HostFacts.model_validate_json(facts.model_dump_json()) != facts:
        raise AssertionError("what was parsed does not survive JSON")
    if zlib.crc32(data) % ONE_IN:
        return
    began = time.process_time()
    parse_input(data[:1] + data[1:] * REPEATED)
    if time.process_time() - began > SLOW_S:
        raise AssertionError(f"{REPEATED} times as much takes more than {SLOW_S} s")


def main() -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    options = ["-max_len=4096", "-timeout=10", f"-artifact_prefix={FOUND}/", *sys.argv[1:]]
    folders = [] if any(Path(word).is_file() for word in sys.argv[1:]) else [str(FOUND), str(CORPUS)]
    atheris.Setup([sys.argv[0], *options, *folders], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
