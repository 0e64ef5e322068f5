"""The four roles and what they may do; custom roles use the same words."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from hub.errors import Fault, Invalid, NotAllowed
from hub.http.actor import Permission

_READ: Final = frozenset(
    {
        Permission.CONFIGURATION_READ,
        Permission.LINKS_READ,
        Permission.RULES_READ,
        Permission.OPERATIONS_READ,
    }
)
_LINKS: Final = frozenset({Permission.LINKS_CREATE, Permission.LINKS_EDIT})
_RULES: Final = frozenset({Permission.RULES_CREATE, Permission.RULES_EDIT, Permission.RULES_DELETE})

ALL: Final = frozenset(Permission)
BUILT_IN: Final[Mapping[str, frozenset[Permission]]] = MappingProxyType(
    {
        "administrator": ALL,
        "manager": _READ
        | _LINKS
        | _RULES
        | {Permission.LINKS_DELETE, Permission.OPERATIONS_ACT, Permission.MEMBERS_READ},
        "user": _READ | _LINKS,
        "auditor": _READ | {Permission.AUDIT_READ, Permission.MEMBERS_READ},
    }
)
DESCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "administrator": "Sets everything up: connectors, rules, members.",
        "manager": "Writes rules and mappings, runs operations; connectors are read-only.",
        "user": "Works with links and incidents; the rest is read-only.",
        "auditor": "Reads everything, the audit too; changes nothing.",
    }
)


def named(words: Iterable[str], pointer: str = "/permissions") -> frozenset[Permission]:
    """Return the permissions of these names; Invalid names each that does not exist."""
    known = {one.value: one for one in Permission}
    faults = [
        Fault(f"{pointer}/{place}", f"There is no permission {word!r}.", "unknown")
        for place, word in enumerate(words)
        if word not in known
    ]
    if faults:
        raise Invalid("Some permissions do not exist.", errors=faults)
    return frozenset(known[word] for word in words)


def demand_no_more(granted: frozenset[Permission], own: frozenset[Permission]) -> None:
    """Refuse to hand out what the giver does not have."""
    more = sorted(one.value for one in granted - own)
    if more:
        raise NotAllowed(f"Nobody can give permissions they do not have: {', '.join(more)}.")
