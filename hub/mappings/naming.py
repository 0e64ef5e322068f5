"""Objects, fields and values by their vendors' names: what people copy from a vendor's set-up."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.catalog.catalog import Catalog
from hub.connectors.clients import Clients
from hub.http.actor import Actor
from hub.mappings.precedence import folded
from hub.mappings.repository import ServiceMappings
from hub.mappings.schemas import ServiceMappingIn
from hub.sdk.errors import ConnectorError
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType

if TYPE_CHECKING:
    from hub.sdk.connector_types import ChoiceSource

_SHORTEST_ID = 15


def object_named(given: str, catalog: Catalog, discovered: Collection[str]) -> str | None:
    """Return the name of the object that is meant: by its name or the vendor's API name.

    None when nothing or more than one thing is called so.
    """
    if given in catalog.objects or given in discovered:
        return given
    wanted = given.casefold()
    by_vendor = {
        one.name for one in catalog.objects.values() if one.vendor_name.casefold() == wanted
    }
    adopted = {name for name in discovered if name.partition(".")[2] == wanted}
    found = by_vendor or adopted
    return next(iter(found)) if len(found) == 1 else None


def vendor_names(
    catalog: Catalog, source_object: str | None, field: str | None
) -> tuple[str | None, str | None]:
    """Return the vendor's API names of an object and a field; None where it has none."""
    known = catalog.objects.get(source_object or "")
    of_field = field_named(catalog, source_object, field)
    return (known.vendor_name or None if known else None), (
        of_field.vendor_name or None if of_field else field
    )


async def with_ids(
    asked: ServiceMappingIn, catalog: Catalog, clients: Clients, actor: Actor
) -> ServiceMappingIn:
    """Return the row with the id of the record that its value names, and called by that name.

    The vendor is asked, where the field points at records and has a live list. A value that
    the list does not know stays as it is, also when the vendor is away.
    """
    name = object_named(asked.object or "", catalog, ())
    field = field_named(catalog, name, asked.field)
    pointing = field is not None and field.type is FieldType.REFERENCE and field.choice_source
    if name is None or field is None or not pointing or not asked.value:
        return asked
    found = await _chosen(field, asked.value, clients, (actor, name.partition(".")[0]))
    if found is None:
        return asked
    return asked.model_copy(
        update={"value": found.value, "name": asked.name or (found.label or found.value)[:200]}
    )


def field_named(
    catalog: Catalog, source_object: str | None, given: str | None
) -> FieldSchema | None:
    """Return an object's declared field by its key, its whole name or as the vendor calls it."""
    if source_object is None or given is None:
        return None
    key = given.removeprefix(f"{source_object}.")
    declared = catalog.fields_of(source_object)
    return next((one for one in declared if key in {one.key, one.vendor_name}), None)


async def _chosen(
    field: FieldSchema, given: str, clients: Clients, owner: tuple[Actor, str]
) -> Choice | None:
    actor, kind = owner
    async with clients.database.reading() as session:
        connectors = await ServiceMappings(session, actor.home).connectors()
    names = [one.name for one in connectors.values() if one.type == kind]
    if len(names) != 1:
        return None
    opened = await clients.by_name(actor.slug, names[0])
    if opened.type is None or not opened.is_ready:
        return None
    listed: Mapping[str, ChoiceSource[Any]] = {one.name: one for one in opened.type.choices}
    source = listed.get(field.choice_source or "")
    try:
        found = await source.fetch(opened.client, given) if source else ()
    except ConnectorError:
        return None
    return _meant(found, given)


def _meant(found: Sequence[Choice], given: str) -> Choice | None:
    """Return the one choice that is called so, or has this id; ids may be shortened."""
    wanted = folded(given)
    same = [one for one in found if given == one.value or wanted == folded(one.label)]
    if not same and len(given) >= _SHORTEST_ID:
        same = [one for one in found if one.value.startswith(given)]
    if not same:
        same = [one for one in found if folded(_own_name(one.label)) == wanted]
    return same[0] if len(same) == 1 else None


def _own_name(label: str) -> str:
    """Return a name without the path that tells it from others: "IT > Hardware (Hardware)"."""
    inner = label.rpartition(" (")[2].removesuffix(")") if label.endswith(")") else label
    return inner.strip()
