"""The objects of the simulated package, in the shape of describe answers, read from package.txt.

A line there is `API name without prefix | label | type`, and what else there is to say. Types
are `text(80)`, `long(32000)`, `-> Object` for lookups, `=> Object` for the parent, `=text` for
formulas.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from hub_remedyforce.names import PREFIX, api
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.schema import (
    Definition,
    define,
    field,
    field_of,
    picklist,
    read_only,
    reference,
)

_OWNER = {"nillable": False, "defaultedOnCreate": True}
_FORMULA = {"calculated": True, "createable": False, "updateable": False}
_LETTERS = {"text": "string", "long": "textarea", "rich": "textarea", "area": "textarea"}
_STUBS = {
    "SRM_RequestDefinition__c": ("Request Definition", "a3L", ()),
    "SRM_RequestDetail__c": ("Request Detail", "a3M", ()),
    "Broadcasts__c": ("Broadcast", "a1Z", ()),
    "SYSStage__c": ("Stage", "a3v", (("Order__c", "Order", "double"),)),
    "CategoryTypes__c": ("Category Type", "a20", ()),
    "ContentImport__c": ("Content Import", "a2B", ()),
    "BMC_BaseElement__c": (
        "Configuration Item",
        "a1K",
        (
            ("ClassID__c", "Class", "string"),
            ("MarkAsDeleted__c", "Mark as deleted", "boolean"),
        ),
    ),
}
_CHILDREN = {
    "Incident__c": [(api("Incident_Histories__r"), api("IncidentHistory__c"), api("FKIncident__c"))]
}


def define_package(org: FakeSalesforce) -> None:
    """Add the objects of the package, and its field of users, to an org."""
    world = org.world
    for definition in (*_stubs(), *_objects(), _lead(), _history()):
        world.define(definition)
    feed = field_of(world.definitions["FeedItem"], "ParentId") or {}
    feed["referenceTo"] = [*feed["referenceTo"], api("Incident__c")]
    world.add_field("User", field(api("IsStaffUser__c"), "Staff user", "boolean"))
    for row in world.rows("User"):
        row[api("IsStaffUser__c")] = False


@cache
def computed_paths() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return, by object, the formula fields that show a field of a record pointed at."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for name, _, _, lines in _sections():
        for line in lines:
            if line.kind.startswith("=") and "__r." in line.more:
                relation, _, leaf = line.more.partition("__r.")
                found.setdefault(api(name), {})[api(line.name)] = (api(f"{relation}__c"), leaf)
    return found


class _Line:
    """One line of the table."""

    def __init__(self, text: str) -> None:
        cells = [cell.strip() for cell in text.split(" | ")]
        self.name, self.label, self.kind = cells[:3]
        self.more = cells[3] if len(cells) > 3 else ""

    @property
    def size(self) -> tuple[int, ...]:
        """The numbers in brackets."""
        found = re.search(r"\((.+)\)", self.kind)
        return tuple(int(one) for one in found[1].split(",")) if found else ()

    @property
    def default(self) -> str:
        """What a new record has, in words."""
        found = re.search(r"default (\w+)", self.more)
        return found[1] if found else ""


def _sections() -> Iterator[tuple[str, str, str, list[_Line]]]:
    text = (resources.files(__package__) / "package.txt").read_text(encoding="utf-8")
    for section in ("\n" + text).split("\n# ")[1:]:
        head, *lines = section.strip().splitlines()
        name, label, prefix = head.split(" | ")
        yield name, label, prefix, [_Line(line) for line in lines]


def _objects() -> Iterator[Definition]:
    for name, label, prefix, lines in _sections():
        owner = [] if name == "IncidentHistory__c" else [_owner()]
        fields = [_name_of(name, label), *owner, *(_field(line) for line in lines)]
        children = _CHILDREN.get(name, ())
        made = define(api(name), label, prefix, fields, children=children)
        made["feedEnabled"] = name == "Incident__c"
        yield made


def _stubs() -> Iterator[Definition]:
    for name, (label, prefix, extra) in _STUBS.items():
        fields = [_name_of(name, label), _owner()]
        fields += [field(api(key), title, kind) for key, title, kind in extra]
        yield define(api(name), label, prefix, fields)


def _lead() -> Definition:
    name = field("Name", "Full Name", nameField=True)
    return define("Lead", "Lead", "00Q", [name, _owner()])


def _history() -> Definition:
    parts = [
        reference("ParentId", "Incident ID", api("Incident__c"), nillable=False),
        field("Field", "Changed Field", "picklist"),
        read_only("OldValue", "Old Value"),
        read_only("NewValue", "New Value"),
    ]
    return define(f"{PREFIX}Incident__History", "History: Incident", "017", parts, writable=False)


def _name_of(name: str, label: str) -> Definition:
    plain: dict[str, Any] = {"nameField": True, "idLookup": True, "length": 80}
    if name == "Incident__c":
        auto = {"autoNumber": True, "nillable": False, "defaultedOnCreate": True}
        return read_only("Name", "Number", **{**plain, **auto})
    return field("Name", label, **plain, defaultedOnCreate=True)


def _owner() -> Definition:
    return reference("OwnerId", "Owner ID", "Group", "User", **_OWNER)


def _field(line: _Line) -> Definition:
    name = api(line.name)
    if line.kind.startswith(("->", "=>")):
        return _lookup(name, line)
    if line.kind.startswith("="):
        return _formula(name, line)
    kind = line.kind.partition("(")[0]
    return _MAKERS.get(kind, _plain)(name, line)


def _formula(name: str, line: _Line) -> Definition:
    kind = {"text": "string", "checkbox": "boolean"}.get(line.kind[1:], "double")
    if kind == "string":
        return field(name, line.label, kind, **_FORMULA, length=1300)
    return field(name, line.label, kind, **_FORMULA)


def _lookup(name: str, line: _Line) -> Definition:
    target = line.kind[3:]
    whole = api(target) if target.endswith("__c") else target
    parent = line.kind.startswith("=>")
    owned = {"nillable": False, "updateable": False, "cascadeDelete": True} if parent else {}
    marks = {"enforced": False, "filtered": True}
    filtered = {"controllingFields": [], "dependent": False}
    info = {**filtered, "optionalFilter": marks[line.more]} if line.more in marks else None
    return reference(name, line.label, whole, filteredLookupInfo=info, **owned)


def _plain(name: str, line: _Line) -> Definition:
    return field(name, line.label, line.kind)


def _letters(name: str, line: _Line) -> Definition:
    word = line.kind.partition("(")[0]
    length = line.size[0] if line.size else 255
    external, unique = "external" in line.more, "unique" in line.more
    key = {"externalId": external, "unique": unique, "idLookup": external or unique}
    flags = {**key, "htmlFormatted": word == "rich"}
    return field(name, line.label, _LETTERS[word], length=length, **flags)


def _number(name: str, line: _Line) -> Definition:
    precision, scale = line.size
    default = {"defaultValue": 0, "defaultedOnCreate": True} if line.default == "0" else {}
    return field(name, line.label, "double", precision=precision, scale=scale, **default)


def _checkbox(name: str, line: _Line) -> Definition:
    return field(name, line.label, "boolean", defaultValue=line.default == "true")


def _choices(name: str, line: _Line) -> Definition:
    values = [one.strip() for one in line.more.split(" · ")]
    default = next((one.removesuffix("*") for one in values if one.endswith("*")), None)
    made = picklist(name, line.label, [one.removesuffix("*") for one in values], default)
    return {**made, "length": 255, "byteLength": 765}


_MAKERS: Mapping[str, Callable[[str, _Line], Definition]] = {
    "text": _letters,
    "long": _letters,
    "rich": _letters,
    "area": _letters,
    "num": _number,
    "checkbox": _checkbox,
    "picklist": _choices,
}
