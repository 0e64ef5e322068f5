"""Records that a field may point at: found by name, and listed for forms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hub
from hub import Choice, ChoiceSource
from hub_salesforce import soql
from hub_salesforce.ids import SfId, is_id, key_prefix, to_18

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient

_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where the records are that a field may point at.

    `names` are the fields by which people call a record; the first one is shown. Only records
    that meet all `conditions` (in SOQL) are offered and found by name. `shown_by` is the key
    of the field in which the pointing record carries the name, if it has one.
    """

    api_name: str
    label: str
    names: tuple[str, ...] = ("Name",)
    conditions: tuple[str, ...] = ()
    shown_by: str = ""
    order: str = ""


async def id_of(client: "SalesforceClient", lookup: Lookup, given: str) -> SfId:
    """Return the id that a name, or an id, stands for; names are remembered for an hour.

    Rejected for a name that no record or several records have.
    """
    if await _is_id(client, lookup, given):
        return to_18(given)

    async def find() -> SfId:
        return await _find(client, lookup, given)

    return await client.remembered(f"lookup {lookup.api_name} {given.strip().lower()}", find)


def choices_of(
    name: str,
    lookup: Lookup,
    *,
    reads: Sequence[str] = (),
    label: "Callable[[Row], str] | None" = None,
) -> "ChoiceSource[SalesforceClient]":
    """Return the live list of the records; `label` words a row from its name and `reads`."""
    shown = lookup.names[0]

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        conditions = list(lookup.conditions)
        if is_id(search.strip()):
            conditions = [f"Id = {soql.literal(to_18(search.strip()))}"]
        elif search.strip():
            conditions.append(f"{shown} LIKE {soql.like(search.strip())}")
        order = lookup.order or f"{shown} ASC, Id ASC"
        fields = ["Id", *lookup.names, *reads]
        text = soql.select(fields, lookup.api_name, *conditions, order=order, limit=_LISTED)
        rows = await client.query_page(text)
        return [
            Choice(value=str(row["Id"]), label=label(row) if label else str(row[shown]))
            for row in rows
        ]

    return ChoiceSource(name=name, fetch=fetch)


async def _is_id(client: "SalesforceClient", lookup: Lookup, given: str) -> bool:
    """Tell ids from names; a word of 15 letters may be either, so its first three decide."""
    if not is_id(given):
        return False
    if len(given) == 18:
        return True
    return key_prefix(given) == (await client.describe(lookup.api_name)).key_prefix


async def _find(client: "SalesforceClient", lookup: Lookup, given: str) -> SfId:
    name = soql.literal(given.strip())
    same = " OR ".join(f"{field} = {name}" for field in lookup.names)
    named = f"({same})" if len(lookup.names) > 1 else same
    text = soql.select(["Id"], lookup.api_name, named, *lookup.conditions, order="Id", limit=2)
    rows = await client.query_page(text)
    if len(rows) == 1:
        return to_18(str(rows[0]["Id"]))
    if rows:
        raise hub.Rejected(f"more than one {lookup.label} is called {given!r}: give its id")
    raise hub.Rejected(await _nothing(client, lookup, given))


async def _nothing(client: "SalesforceClient", lookup: Lookup, given: str) -> str:
    import difflib  # noqa: PLC0415 - only for what is misspelt

    shown = lookup.names[0]
    text = soql.select([shown], lookup.api_name, *lookup.conditions, order=shown, limit=_LISTED)
    known = {str(row[shown]).lower(): str(row[shown]) for row in await client.query_page(text)}
    near = difflib.get_close_matches(given.lower(), known, n=1, cutoff=0.6)
    hint = f"; did you mean {known[near[0]]!r}?" if near else ""
    return f"there is no {lookup.label} {given!r} that may be used here{hint}"
