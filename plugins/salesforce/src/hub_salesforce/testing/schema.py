"""Object definitions of the simulated org, in the shape of a describe answer."""

from collections.abc import Sequence
from typing import Any

Definition = dict[str, Any]
MASTER = "012000000000000AAA"

_TEXTS = {"string": 255, "textarea": 32000, "email": 80, "phone": 40, "url": 255, "picklist": 40}
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


_PLAIN: Definition = {
    "aiPredictionField": False,
    "autoNumber": False,
    "calculated": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "compoundFieldName": None,
    "controllerName": None,
    "createable": True,
    "defaultValue": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "digits": 0,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "externalId": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "idLookup": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "nameField": False,
    "namePointing": False,
    "picklistValues": [],
    "polymorphicForeignKey": False,
    "precision": 0,
    "queryByDistance": False,
    "referenceTargetField": None,
    "referenceTo": [],
    "relationshipName": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "restrictedPicklist": False,
    "scale": 0,
    "searchPrefilterable": False,
    "unique": False,
    "updateable": True,
    "writeRequiresMasterRead": False,
}


def field(name: str, label: str, type: str = "string", **flags: Any) -> Definition:  # noqa: ANN401
    """Return one field; writable and nullable unless `flags` say otherwise."""
    length = flags.get("length", 18 if type in {"id", "reference"} else _TEXTS.get(type, 0))
    long_text = type == "textarea" and length > 255
    own: Definition = {
        "aggregatable": not long_text,
        "byteLength": length * 3 if type != "reference" else length,
        "custom": name.endswith("__c"),
        "defaultedOnCreate": type == "boolean",
        "filterable": not long_text,
        "groupable": not long_text,
        "label": label,
        "length": length,
        "name": name,
        "nillable": type != "boolean",
        "permissionable": name.endswith("__c"),
        "soapType": _SOAP.get(type, "xsd:string"),
        "sortable": not long_text,
        "type": type,
    }
    if type == "boolean":
        own["defaultValue"] = False
    everything = {**_PLAIN, "picklistValues": [], "referenceTo": [], **own, **flags}
    return dict(sorted(everything.items()))


def read_only(name: str, label: str, type: str = "string", **flags: Any) -> Definition:  # noqa: ANN401
    """Return a field that only Salesforce writes."""
    return field(name, label, type, **{"createable": False, "updateable": False, **flags})


def picklist(
    name: str, label: str, values: Sequence[str], default: str | None = None
) -> Definition:
    """Return a picklist; like the standard ones it takes other values too."""
    listed = [
        {
            "active": True,
            "defaultValue": one == default,
            "label": one,
            "validFor": None,
            "value": one,
        }
        for one in values
    ]
    return field(
        name,
        label,
        "picklist",
        picklistValues=listed,
        defaultValue=default,
        defaultedOnCreate=default is not None,
    )


def reference(name: str, label: str, *targets: str, **flags: Any) -> Definition:  # noqa: ANN401
    """Return a lookup to one or more objects."""
    relation = name[:-2] if name.endswith("Id") else name.removesuffix("c") + "r"
    return field(
        name,
        label,
        "reference",
        **{
            "referenceTo": list(targets),
            "relationshipName": relation,
            "polymorphicForeignKey": len(targets) > 1,
            "namePointing": len(targets) > 1,
            **flags,
        },
    )


def system_fields(label: str) -> list[Definition]:
    """Return the fields that every object has and only Salesforce writes."""
    auto = {"nillable": False, "defaultedOnCreate": True}
    locked = {"createable": False, "updateable": False, **auto}
    return [
        read_only("Id", f"{label} ID", "id", idLookup=True, **auto),
        read_only("IsDeleted", "Deleted", "boolean"),
        read_only("CreatedDate", "Created Date", "datetime", **auto),
        reference("CreatedById", "Created By ID", "User", **locked),
        read_only("LastModifiedDate", "Last Modified Date", "datetime", **auto),
        reference("LastModifiedById", "Last Modified By ID", "User", **locked),
        read_only("SystemModstamp", "System Modstamp", "datetime", **auto),
    ]


def define(  # noqa: PLR0913 - a definition has many parts
    name: str,
    label: str,
    prefix: str,
    fields: Sequence[Definition],
    *,
    writable: bool = True,
    system: bool = True,
    children: Sequence[tuple[str, str, str]] = (),
) -> Definition:
    """Return an object; `children` are (relationship, object, its lookup field)."""
    own = {one["name"] for one in fields}
    common = [one for one in system_fields(label) if one["name"] not in own] if system else []
    return {
        "actionOverrides": [],
        "activateable": False,
        "childRelationships": [_child(*one) for one in children],
        "compactLayoutable": True,
        "createable": writable,
        "custom": name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "defaultImplementation": None,
        "deletable": writable,
        "deprecatedAndHidden": False,
        "extendedBy": None,
        "extendsInterfaces": None,
        "feedEnabled": True,
        "fields": [*common, *fields],
        "hasSubtypes": False,
        "implementedBy": None,
        "implementsInterfaces": None,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": prefix or None,
        "label": label,
        "labelPlural": f"{label}s",
        "layoutable": True,
        "listviewable": None,
        "lookupLayoutable": None,
        "mergeable": False,
        "mruEnabled": True,
        "name": name,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "queryable": True,
        "recordTypeInfos": [_master(name)],
        "replicateable": True,
        "retrieveable": True,
        "searchLayoutable": True,
        "searchable": True,
        "supportedScopes": [{"label": f"All {label.lower()}s", "name": "everything"}],
        "triggerable": writable,
        "undeletable": writable,
        "updateable": writable,
        "urls": {},
    }


def field_of(definition: Definition, name: str) -> Definition | None:
    """Return a field of an object by its API name; letter case does not count."""
    wanted = name.lower()
    return next((one for one in definition["fields"] if one["name"].lower() == wanted), None)


def _child(relationship: str, child: str, lookup: str) -> Definition:
    return {
        "cascadeDelete": True,
        "childSObject": child,
        "deprecatedAndHidden": False,
        "field": lookup,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": relationship,
        "restrictedDelete": False,
    }


def _master(name: str) -> Definition:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER,
        "urls": {"layout": f"/services/data/v60.0/sobjects/{name}/describe/layouts/{MASTER}"},
    }
