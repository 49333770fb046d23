"""Values in, numbers out: every different one once, in the order in which they come."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import TypeVar

Key = TypeVar("Key")


class Numbers(defaultdict[Key, int]):
    """Each value with its number; one that is not there gets the next number when it is asked for."""

    def __init__(self) -> None:
        super().__init__(count().__next__)

    def add_all(self, values: Iterable[Key]) -> list[int]:
        """Return the number of each."""
        return list(map(self.__getitem__, values))
