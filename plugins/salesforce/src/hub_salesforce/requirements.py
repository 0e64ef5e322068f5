"""What a record needs to be made: by describe, by layout, and by what refusals taught."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import hub
from hub_salesforce.errors import SalesforceRejected
from hub_salesforce.sobjects import SObject

if TYPE_CHECKING:
    from hub_salesforce.client import SalesforceClient
    from hub_salesforce.describe import Describe

MASTER = "012000000000000AAA"
_TAUGHT = frozenset({"REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
Source = Literal["describe", "layout", "learned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A field that must have a value, and how that is known.

    `describe` is always enforced; `layout` only for people; `learned` was refused before.
    """

    key: str
    api_name: str
    label: str
    source: Source

    @property
    def enforced(self) -> bool:
        """Whether a record without it is surely refused."""
        return self.source == "describe"

    def json(self) -> dict[str, Any]:
        """Return it for a form."""
        return {
            "key": self.key,
            "api_name": self.api_name,
            "label": self.label,
            "source": self.source,
            "enforced": self.enforced,
        }


async def required_of(
    client: "SalesforceClient", declared: SObject, record_type: str = MASTER
) -> list[Requirement]:
    """Return the required fields of an object; layouts that the user can't read are left out."""
    describe = await client.describe(declared.api_name)
    by_describe = {one.name: "describe" for one in describe.required}
    by_layout = dict.fromkeys(await _layout(client, declared.api_name, record_type), "layout")
    learned = dict.fromkeys(client.learned.get(describe.name, ()), "learned")
    merged: Mapping[str, Any] = {**by_layout, **learned, **by_describe}
    return [
        _requirement(declared, describe, name, source)
        for name, source in merged.items()
        if _counts(describe, name)
    ]


def missing(required: Iterable[Requirement], given: Iterable[str]) -> list[Requirement]:
    """Return the requirements that the given keys or API names do not meet."""
    known = {one.lower() for one in given}
    return [
        one
        for one in required
        if one.api_name.lower() not in known and one.key.lower() not in known
    ]


def learn(client: "SalesforceClient", api_name: str, error: SalesforceRejected) -> None:
    """Remember the fields that a refused record lacked, to be shown where rules are checked."""
    for fault in error.faults:
        if fault.code in _TAUGHT:
            client.learned.setdefault(api_name, set()).update(fault.fields)


async def _layout(client: "SalesforceClient", api_name: str, record_type: str) -> list[str]:
    try:
        found = await client.get(f"/sobjects/{api_name}/describe/layouts/{record_type}")
    except (hub.Gone, hub.Rejected):
        return []  # some objects have no layout; describe still tells what is enforced
    items = (
        item
        for section in found.get("editLayoutSections") or ()
        for row in section.get("layoutRows") or ()
        for item in row.get("layoutItems") or ()
    )
    return [
        str(component["value"])
        for item in items
        if item.get("required")
        for component in item.get("layoutComponents") or ()
        if component.get("value")
    ]


def _counts(describe: "Describe", name: str) -> bool:
    info = describe.field(name)
    return bool(info and info.createable and not (info.defaulted and not info.nillable))


def _requirement(declared: SObject, describe: "Describe", name: str, source: Source) -> Requirement:
    info = describe.field(name)
    label = info.label if info else name
    return Requirement(key=declared.key_of(name), api_name=name, label=label, source=source)
