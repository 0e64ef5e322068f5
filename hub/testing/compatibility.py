"""Whether settings that were saved are still accepted: JSON schemas compared."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return each way in which `new` may refuse what `old` accepted."""
    return list(_object(old, new, old.get("$defs", {}), new.get("$defs", {}), ""))


def _object(old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{at}/{name}: is now required"
    for name in sorted(set(before) - set(after)):
        if new.get("additionalProperties") is False:
            yield f"{at}/{name}: is gone, and unknown members are refused"
        else:
            yield f"{at}/{name}: is gone"
    for name in sorted(set(before) & set(after)):
        one, other = _resolved(before[name], old_defs), _resolved(after[name], new_defs)
        yield from _member(one, other, f"{at}/{name}")
        yield from _object(one, other, old_defs, new_defs, f"{at}/{name}")


def _resolved(schema: Schema, defs: Schema) -> Schema:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return {**defs.get(name, {}), **schema} if name else schema


def _member(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if lost := _types(old) - _types(new):
        yield f"{at}: no longer accepts {', '.join(sorted(lost))}"
    if new.get("enum") is not None:
        gone = [one for one in old.get("enum", ()) if one not in new["enum"]]
        if gone or old.get("enum") is None:
            yield f"{at}: accepts fewer values" + (f" ({gone} are gone)" if gone else "")
    if new.get("pattern") not in {None, old.get("pattern")}:
        yield f"{at}: has another pattern"
    if old.get("writeOnly") and not new.get("writeOnly"):
        yield f"{at}: is no longer a secret"
    yield from _bounds(old, new, at)


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for word in _LEAST:
        if word in new and (word not in old or new[word] > old[word]):
            yield f"{at}: {word} is now {new[word]}"
    for word in _MOST:
        if word in new and (word not in old or new[word] < old[word]):
            yield f"{at}: {word} is now {new[word]}"


def _types(schema: Schema) -> set[str]:
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return {name for one in options for name in _types(one)}
    found = schema.get("type", "any")
    names = set(found) if isinstance(found, list) else {str(found)}
    return names | {"integer"} if "number" in names else names
