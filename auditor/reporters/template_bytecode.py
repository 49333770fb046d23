"""Templates compiled, kept where Python keeps its own bytecode: on the same conditions, and by the same code.

Nothing is read from any other place, and whoever may write to that one could as well change the program beside it.
What was compiled from another text, by another jinja2 or Python or with other options, and what did not reach the disk
whole, does not carry the right seal and counts for nothing. Where nothing can be kept, each run compiles anew.
"""

import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.resources import files
from importlib.util import MAGIC_NUMBER, cache_from_source

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_SEAL = sha256().digest_size
_COMPILER = (
    "compiler.py", "environment.py", "idtracking.py", "lexer.py", "nodes.py", "optimizer.py", "parser.py", "runtime.py",
)  # fmt: skip
"""The parts of jinja2 that have a say in what a template is compiled to."""
_OPTIONS = "html_template.py"
_disk = SourceFileLoader("", "")


class TemplateBytecode(BytecodeCache):
    """What jinja2 asks for compiled templates, and gives them to. A disk that fails costs time, never a report."""

    def get_cache_key(self, _name: str, filename: str | None = None) -> str:
        """Return the path of a template's bytecode."""
        return cache_from_source(f"{filename}.")  # it leaves out what follows the last dot: two.css is not two.js

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            kept = _disk.get_data(bucket.key)
            code = kept[_SEAL:]
            if kept[:_SEAL] == _seal(bucket, code):
                bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                code = bucket.bytecode_to_string()
                # As Python with its own: whole or not at all, and whatever the umask, for nobody else to change.
                _disk.set_data(bucket.key, _seal(bucket, code) + code, _mode=0o644)


def _seal(bucket: Bucket, code: bytes) -> bytes:
    return sha256(b"".join((_hash_makers(), bucket.checksum.encode(), code))).digest()


@cache
def _hash_makers() -> bytes:
    """Return a hash of what decides, beside its text, what a template is compiled to."""
    parts = [*(files("jinja2") / name for name in _COMPILER), files(__package__) / _OPTIONS]
    return sha256(MAGIC_NUMBER + b"".join(part.read_bytes() for part in parts)).digest()
