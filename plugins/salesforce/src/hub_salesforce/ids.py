"""Record ids: 15 characters where letter case counts, or 18 with a checksum."""

from typing import NewType

SfId = NewType("SfId", str)
"""An id of 18 characters whose checksum is right; compared with letter case."""

_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def to_18(id: str) -> SfId:
    """Return the 18-character form of an id; ValueError for what is none."""
    head = id[:15]
    if len(id) not in {15, 18} or not _ALPHABET.issuperset(id):
        raise ValueError(f"{id!r} is no Salesforce id: it has 15 or 18 letters and digits")
    whole = head + _checksum(head)
    if len(id) == 18 and id != whole:
        raise ValueError(f"{id!r} is no Salesforce id: the letter case of {whole!r} was changed")
    return SfId(whole)


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id; never raises."""
    try:
        to_18(text)
    except ValueError:
        return False
    return True


def same_id(one: str, other: str) -> bool:
    """Tell whether two ids, each of 15 or 18 characters, name one record."""
    return is_id(one) and is_id(other) and to_18(one) == to_18(other)


def key_prefix(id: str) -> str:
    """Return the three characters that tell an id's object: "500" is a Case."""
    return id[:3]


def _checksum(head: str) -> str:
    groups = (head[0:5], head[5:10], head[10:15])
    return "".join(_CHECKS[sum(1 << j for j, c in enumerate(g) if c.isupper())] for g in groups)
