"""What an entry or a waiver says about who holds the socket in, a condition of the model out."""

from auditor.model.policy import OwnerCondition
from auditor.policies.file import EntryFile, PlaceFile

KEYS = ("process", "exe", "user", "unit", "container")


def read_owner(place: PlaceFile) -> OwnerCondition | None:
    """Return who may hold it; None when nothing is said about that."""
    classes = (place.owner or ()) if isinstance(place, EntryFile) else ()
    words = {key: tuple(getattr(place, key) or ()) for key in KEYS}
    if not classes and not any(words.values()):
        return None
    return OwnerCondition(**words, classes=tuple(classes))
