"""Describe answers of the simulated org."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from hub_salesforce.testing.answers import Reply, not_found
from hub_salesforce.testing.schema import MASTER, Definition
from hub_salesforce.testing.world import Row, User, World

_LONG_ONLY = frozenset(
    {"fields", "childRelationships", "recordTypeInfos", "supportedScopes", "actionOverrides",
     "namedLayoutInfos", "defaultImplementation", "extendedBy", "extendsInterfaces",
     "implementedBy", "implementsInterfaces", "listviewable", "lookupLayoutable",
     "networkScopeFieldName", "searchLayoutable", "compactLayoutable", "sObjectDescribeOption"}
)  # fmt: skip


def all_objects(world: World, root: str, headers: Mapping[str, str]) -> Reply:
    """Answer the global describe."""
    modified = max(world.modified.values())
    if _not_since(headers, modified):
        return Reply(status=304, headers=_tags(modified))
    listed = [_short(one, root) for _, one in sorted(world.definitions.items())]
    body = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}
    return Reply(body=body, headers=_tags(modified))


def one_object(world: World, object: str, root: str) -> Reply:
    """Answer the short description of an object, with the rows used last."""
    definition = world.definition(object)
    recent = [
        {
            "attributes": {
                "type": definition["name"],
                "url": f"{root}/sobjects/{definition['name']}/{row['Id']}",
            },
            "Id": row["Id"],
        }
        for row in world.rows(definition["name"])[-5:]
    ]
    return Reply(body={"objectDescribe": _short(definition, root), "recentItems": recent})


def description(world: World, user: User, object: str, headers: Mapping[str, str]) -> Reply:
    """Answer an object's describe, with the fields that the user may see."""
    definition = world.definition(object)
    modified = world.modified[definition["name"]]
    if _not_since(headers, modified):
        return Reply(status=304, headers=_tags(modified))
    body = {**definition, "fields": world.visible(definition, user)}
    return Reply(body=body, headers=_tags(modified))


def layouts(world: World, object: str) -> Reply:
    """Answer the layouts of an object."""
    definition = world.definition(object)
    mapping = {
        "available": True,
        "layoutId": f"00h{MASTER[3:15]}",
        "name": "Master",
        "recordTypeId": MASTER,
    }
    shown = [_layout_of(world, definition)]
    return Reply(body={"layouts": shown, "recordTypeMappings": [mapping]})


def layout(world: World, object: str, record_type: str) -> Reply:
    """Answer the layout of a record type."""
    if record_type[:15] != MASTER[:15]:
        raise not_found()
    return Reply(body=_layout_of(world, world.definition(object)))


def picklists(world: World, object: str) -> Reply:
    """Answer the picklist values of a record type."""
    definition = world.definition(object)
    values: Row = {
        one["name"]: {
            "controllerValues": {},
            "defaultValue": None,
            "values": [
                {"label": v["label"], "value": v["value"], "validFor": [], "attributes": None}
                for v in one["picklistValues"]
            ],
        }
        for one in definition["fields"]
        if one["picklistValues"]
    }
    return Reply(body={"picklistFieldValues": values})


def _layout_of(world: World, definition: Definition) -> Row:
    required = world.layout_required.get(definition["name"], ())
    rows = [
        {
            "layoutItems": [
                {
                    "editableForNew": one["createable"],
                    "editableForUpdate": one["updateable"],
                    "label": one["label"],
                    "required": one["name"] in required or not one["nillable"],
                    "layoutComponents": [
                        {"type": "Field", "value": one["name"], "displayLines": 1}
                    ],
                }
            ]
        }
        for one in definition["fields"]
        if one["createable"]
    ]
    section = {"heading": "Information", "useHeading": False, "layoutRows": rows}
    return {"id": f"00h{MASTER[3:15]}", "editLayoutSections": [section]}


def _short(definition: Definition, root: str) -> Row:
    plain = {name: value for name, value in definition.items() if name not in _LONG_ONLY}
    base = f"{root}/sobjects/{definition['name']}"
    urls = {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"}
    return {**plain, "urls": urls}


def _not_since(headers: Mapping[str, str], modified: datetime) -> bool:
    given = headers.get("if-modified-since")
    try:
        return bool(given) and modified <= parsedate_to_datetime(str(given))
    except ValueError:
        return False


def _tags(modified: datetime) -> dict[str, str]:
    tag = hashlib.sha256(str(modified).encode()).hexdigest()[:8]
    return {"ETag": f'"{tag}"', "Last-Modified": format_datetime(modified, usegmt=True)}
