"""The checks of a save: fields, types, lengths, picklists, references, required values."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from hub_salesforce.ids import is_id, to_18
from hub_salesforce.testing.answers import Refused, refused, save_refused
from hub_salesforce.testing.schema import Definition, field_of
from hub_salesforce.testing.world import Row, User
from hub_salesforce.values import instant

if TYPE_CHECKING:
    from hub_salesforce.testing.saving import Saver

Reader: TypeAlias = Callable[[Definition, Any], Any]
_NUMBERS = {"int", "double", "currency", "percent", "long"}


def checked(saver: "Saver", definition: Definition, given: Row, *, creating: bool) -> Row:
    """Return the given values as they are stored, by the API names of the description."""
    values = {k: v for k, v in given.items() if k != "attributes"}
    infos = {name: _visible(saver, definition, name) for name in values}
    for name, info in infos.items():
        _writable(info, name, creating=creating)
    typed = {infos[name]["name"]: _typed(infos[name], value) for name, value in values.items()}
    for name, value in typed.items():
        _length(definition, _info(definition, name), value)
    for name, value in typed.items():
        _listed(_info(definition, name), value)
    return typed


def references_exist(saver: "Saver", definition: Definition, values: Row) -> None:
    """Refuse references to wrong objects, missing records and inactive owners."""
    for name, value in values.items():
        info = _info(definition, name)
        if info["type"] != "reference" or value is None:
            continue
        target = saver.world.by_prefix(value)
        if target is None or target not in info["referenceTo"]:
            words = f"{info['label']}: id value of incorrect type: {value}"
            raise save_refused("FIELD_INTEGRITY_EXCEPTION", words, name)
        row = saver.world.find(target, value)
        if row is None or row["IsDeleted"]:
            raise save_refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        _active_owner(definition, name, saver.world.user_by_id(value))


def required_present(definition: Definition, row: Row) -> None:
    """Refuse a record without its required values, naming all of them."""
    missing = [
        one["name"]
        for one in definition["fields"]
        if not one["nillable"]
        and not one["defaultedOnCreate"]
        and one["createable"]
        and row.get(one["name"]) in {None, ""}
    ]
    if missing:
        words = f"Required fields are missing: [{', '.join(missing)}]"
        raise save_refused("REQUIRED_FIELD_MISSING", words, *missing)


def _visible(saver: "Saver", definition: Definition, name: str) -> Definition:
    info = saver.world.sees(definition, name, saver.user)
    if info is None:
        words = f"No such column '{name}' on sobject of type {definition['name']}"
        raise refused("INVALID_FIELD", words)
    return info


def _writable(info: Definition, name: str, *, creating: bool) -> None:
    if info["type"] == "id":
        words = f"The {name} field should not be specified in the sobject data."
        raise refused("INVALID_FIELD", words)
    if not info["createable" if creating else "updateable"]:
        words = (
            f"Unable to create/update fields: {info['name']}. Please check the security settings "
            "of this field and verify that it is read/write for your profile or permission set."
        )
        raise save_refused("INVALID_FIELD_FOR_INSERT_UPDATE", words, info["name"])


def _typed(info: Definition, value: Any) -> Any:  # noqa: ANN401 - JSON values
    if value is None or value == "":
        return False if info["type"] == "boolean" else None
    reader: Reader = _READERS.get(info["type"], _text)
    return reader(info, value)


def _text(info: Definition, value: Any) -> str:  # noqa: ANN401 - JSON values
    if isinstance(value, dict | list):
        raise _cannot_read("STRING", value)
    text = str(value).strip() if not isinstance(value, bool) else str(value).lower()
    if info["type"] == "email" and "@" not in text:
        words = f"{info['label']}: invalid email address: {text}"
        raise save_refused("INVALID_EMAIL_ADDRESS", words, info["name"])
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if info["type"] == "textarea" else text


def _boolean(_info: Definition, value: Any) -> bool:  # noqa: ANN401 - JSON values
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise _cannot_read("BOOLEAN", value)


def _number(info: Definition, value: Any) -> int | float:  # noqa: ANN401 - JSON values
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _cannot_read(info["type"].upper(), value) from error
    digits = info["digits"] or info["precision"]
    if digits and abs(number) >= 10**digits:
        words = f"{info['label']}: value outside of valid range on numeric field: {value}"
        raise save_refused("NUMBER_OUTSIDE_VALID_RANGE", words, info["name"])
    return int(number) if info["type"] in {"int", "long"} else number


def _date(_info: Definition, value: Any) -> str:  # noqa: ANN401 - JSON values
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        raise _cannot_read("DATE", value) from error


def _datetime(_info: Definition, value: Any) -> str:  # noqa: ANN401 - JSON values
    text = str(value)
    zoned = text.endswith("Z") or "+" in text[10:] or "-" in text[10:]
    try:
        moment = instant(text)
    except ValueError as error:
        raise _cannot_read("DATETIME", value) from error
    if not zoned:
        raise _cannot_read("DATETIME", value)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _reference(info: Definition, value: Any) -> str:  # noqa: ANN401 - JSON values
    if not is_id(str(value)):
        words = f"{info['label']}: id value of incorrect type: {value}"
        raise save_refused("MALFORMED_ID", words, info["name"])
    return to_18(str(value))


_READERS: Mapping[str, Reader] = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    **dict.fromkeys(_NUMBERS, _number),
}


def _cannot_read(kind: str, value: Any) -> Refused:  # noqa: ANN401 - JSON values
    shown = str(value)[:80]
    return refused(
        "JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind.lower()} from {shown}"
    )


def _length(definition: Definition, info: Definition, value: Any) -> None:  # noqa: ANN401
    if not isinstance(value, str) or not info["length"]:
        return
    bytes_count = (definition["name"], info["name"]) == ("CaseComment", "CommentBody")
    size = len(value.encode()) if bytes_count else len(value)
    if size > info["length"]:
        words = (
            f"{info['label']}: data value too large: {value[:100]} (max length={info['length']})"
        )
        raise save_refused("STRING_TOO_LONG", words, info["name"])


def _listed(info: Definition, value: Any) -> None:  # noqa: ANN401 - JSON values
    if not info["restrictedPicklist"] or value is None:
        return
    known = {one["value"] for one in info["picklistValues"] if one["active"]}
    for one in str(value).split(";"):
        if one not in known:
            words = f"{info['label']}: bad value for restricted picklist field: {one}"
            raise save_refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", words, info["name"])


def _active_owner(definition: Definition, name: str, owner: User | None) -> None:
    if name == "OwnerId" and owner is not None and not owner.active:
        label = definition["label"].lower()
        words = f"operation performed with inactive user [{owner.id[:15]}] as owner of {label}"
        raise save_refused("INACTIVE_OWNER_OR_USER", words, name)


def _info(definition: Definition, name: str) -> Definition:
    found = field_of(definition, name)
    if found is None:
        raise refused(
            "INVALID_FIELD", f"No such column '{name}' on sobject of type {definition['name']}"
        )
    return found
