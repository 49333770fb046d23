"""What the processes of a crew say to one another: values in, frames of bytes through a pipe, the same values out.

They are pickled: both ends are this very program, and what a host sent travels inside as the bytes that it is.
"""

import pickle
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO, NamedTuple

from auditor.errors import Problem, TransportError
from auditor.model.host import Host, HostKeyPolicy
from auditor.model.transcript import Transcript
from auditor.transport import Script
from auditor.transport.timeline import Step

_SIZE = struct.Struct(">Q")


class Setting(NamedTuple):
    """What holds for all hosts. `clock` gives UTC, and is found by its name: a function of a module."""

    clock: Callable[[], datetime]
    host_keys: HostKeyPolicy


class Order(NamedTuple):
    """A script to run on a host; `watched`: the phases are to be told, too."""

    number: int
    host: Host
    script: Script
    watched: bool


class News(NamedTuple):
    """A phase of an order that began, or that is over."""

    number: int
    step: Step
    over: bool


class Answer(NamedTuple):
    """What came of an order; text: a defect of ours."""

    number: int
    outcome: Transcript | TransportError | str


class Farewell(NamedTuple):
    """The last word, see `SshTransport.warnings`."""

    warnings: tuple[Problem, ...]


Said = Sequence[News | Answer | Farewell]


def write_message(pipe: BinaryIO, message: object) -> None:
    """Write one value, whole. Raises OSError when nobody reads any more."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    unsent = memoryview(_SIZE.pack(len(data)) + data)
    while unsent:
        unsent = unsent[pipe.write(unsent) :]


def read_message(pipe: BinaryIO) -> object:
    """Return the next value from a buffered pipe. Raises EOFError at its end, wherever that comes."""
    (size,) = _SIZE.unpack(_read_exactly(pipe, _SIZE.size))
    return pickle.loads(_read_exactly(pipe, size))  # noqa: S301 - see above


def _read_exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
