"""Which known name was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_MOST: Final = 12
_CLOSE: Final = 0.65


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Guess which of the known names was meant; capitals don't count, nor does what is in front.

    `trigger_incident` is near `pagerduty.create_incident` only by its last word.
    """
    by_fold = {one.casefold(): one for one in known}
    wanted = name.casefold()
    if wanted in by_fold:
        return by_fold[wanted]
    close = get_close_matches(wanted, list(by_fold), 1, _CLOSE)
    if close:
        return by_fold[close[0]]
    last = {one.rpartition(".")[2]: one for one in by_fold}
    close = get_close_matches(wanted.rpartition(".")[2], list(last), 1, _CLOSE)
    return by_fold[last[close[0]]] if close else None


def hint(name: str, known: Iterable[str]) -> str:
    """Say which known name is nearest, with a space in front; "" when none is near."""
    near = nearest(name, known)
    return f" Nearest: '{near}'." if near else ""


def listed(known: Iterable[str]) -> str:
    """List names, the first dozen."""
    names = list(known)
    return ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")


def no_connector(name: str, known: Iterable[str]) -> str:
    """Say that there is no such connector, and which one was meant or which there are."""
    names = sorted(known)
    told = hint(name, names) or (f" There are: {listed(names)}." if names else "")
    return f"No connector '{name}'.{told}"
