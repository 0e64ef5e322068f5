"""The SOQL subset of the simulated org: answering the query."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub_salesforce.ids import is_id, to_18
from hub_salesforce.testing.answers import Refused, refused
from hub_salesforce.testing.query import Both, Literal, Not, Select, Test
from hub_salesforce.testing.schema import Definition, field_of
from hub_salesforce.testing.world import Row, User, World
from hub_salesforce.values import instant

_TEXT = {"string", "textarea", "email", "phone", "url", "picklist", "combobox", "multipicklist"}
_NUMBERS = {"int", "double", "currency", "percent", "long"}


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, in which org, in which version's addresses, deleted rows too or not."""

    world: World
    user: User | None
    root: str
    deleted: bool = False


def answer(asking: Asking, select: Select) -> list[Row] | int:
    """Return the rows of a query, or the number for `count()`."""
    definition = _object(asking, select)
    rows = _matching(asking, select, definition)
    if select.count == "":
        return len(rows)
    rows = _ordered(asking, select, definition, rows)
    rows = rows[select.offset :]
    rows = rows if select.limit is None else rows[: select.limit]
    if select.count is not None:
        return [{"attributes": {"type": "AggregateResult"}, "expr0": len(rows)}]
    paths = _paths(asking, select, definition)
    return [_row(asking, select, definition, row, paths) for row in rows]


def attributes(asking: Asking, object: str, id: str) -> Row:
    """Return the attributes that every row begins with."""
    return {"type": object, "url": f"{asking.root}/sobjects/{object}/{id}"}


def _object(asking: Asking, select: Select) -> Definition:
    for name, definition in asking.world.definitions.items():
        if name.lower() == select.source.lower():
            return definition
    words = (
        f"sObject type '{select.source}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
        "the describe call for the appropriate names."
    )
    raise refused("INVALID_TYPE", _caret(select.text, select.source_at, words))


def _matching(asking: Asking, select: Select, definition: Definition) -> list[Row]:
    rows = [
        row
        for row in asking.world.rows(definition["name"])
        if asking.deleted or not row.get("IsDeleted")
    ]
    if select.where is None:
        return rows
    test = _compiled(asking, select, definition, select.where)
    return [row for row in rows if test(row)]


def _compiled(
    asking: Asking,
    select: Select,
    definition: Definition,
    node: Any,  # noqa: ANN401 - a tree
) -> Callable[[Row], bool]:
    if isinstance(node, Both):
        parts = [_compiled(asking, select, definition, one) for one in node.parts]
        combine = all if node.op == "AND" else any
        return lambda row: combine(part(row) for part in parts)
    if isinstance(node, Not):
        inner = _compiled(asking, select, definition, node.part)
        return lambda row: not inner(row)
    return _comparison(asking, select, definition, node)


def _comparison(
    asking: Asking, select: Select, definition: Definition, test: Test
) -> Callable[[Row], bool]:
    info = _resolve(asking, select, definition, test.field, test.at)
    if not info["filterable"]:
        words = f"field '{test.field}' can not be filtered in a query call"
        raise refused("INVALID_FIELD", _caret(select.text, test.at, words))
    literals = test.value if isinstance(test.value, list) else [test.value]
    for one in literals:
        _fits(select, info, test, one)
    return _operator(asking, definition, info, test)


def _operator(
    asking: Asking, definition: Definition, info: Definition, test: Test
) -> Callable[[Row], bool]:
    def value(row: Row) -> Any:  # noqa: ANN401 - field values
        return _comparable(info, _value(asking, definition, row, test.field))

    literals = test.value if isinstance(test.value, list) else [test.value]
    operands = [_operand(asking, info, one) for one in literals]
    if literals and literals[0].kind == "range":
        begin, end = operands[0]
        return lambda row: value(row) is not None and begin <= value(row) < end
    if test.op == "LIKE":
        pattern = _like(str(literals[0].value))
        return lambda row: bool(pattern.fullmatch(str(value(row) or "")))
    if test.op in {"INCLUDES", "EXCLUDES"}:
        wanted = {str(one.value).lower() for one in literals}
        held = test.op == "INCLUDES"
        return lambda row: bool(wanted & set(str(value(row) or "").split(";"))) is held
    if test.op in {"IN", "NOT IN"}:
        within = test.op == "IN"
        return lambda row: (value(row) in operands) is within
    return lambda row: _holds(test.op, value(row), operands[0])


def _holds(op: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - field values
    if op in {"=", "!="}:
        return (left == right) is (op == "=")
    if left is None or right is None:
        return False
    if op in {"<", "<="}:
        return bool(left < right or (op == "<=" and left == right))
    return bool(left > right or (op == ">=" and left == right))


def _fits(select: Select, info: Definition, test: Test, literal: Literal) -> None:
    """Refuse a literal of the wrong kind, with Salesforce's words."""
    kind, vendor_type = literal.kind, info["type"]
    if kind in {"null", "range"}:
        return
    where = f"value of filter criterion for field '{test.field}' must be of type "
    plain = {"datetime": "dateTime", "date": "date", "boolean": "boolean"}
    wanted = plain.get(vendor_type) or ("double" if vendor_type in _NUMBERS else None)
    if wanted and kind == "string":
        words = f"{where}{wanted} and should not be enclosed in quotes"
        raise refused("INVALID_FIELD", _caret(select.text, test.at, words))
    if wanted is None and kind != "string":
        words = f"{where}string and should be enclosed in quotes"
        raise refused("INVALID_FIELD", _caret(select.text, test.at, words))
    if vendor_type in {"id", "reference"} and not is_id(str(literal.value)):
        words = f"invalid ID field: {literal.value}"
        raise refused("INVALID_QUERY_FILTER_OPERATOR", _caret(select.text, test.at, words))


def _operand(asking: Asking, info: Definition, literal: Literal) -> Any:  # noqa: ANN401 - values
    if literal.kind == "range":
        return _range(asking.world.now(), literal.value)
    if info["type"] == "boolean" and literal.value is None:
        return False
    return _comparable(info, literal.value)


def _comparable(info: Definition, value: Any) -> Any:  # noqa: ANN401 - field values
    """Return a value as it compares: text without letter case, ids with it, times as times."""
    if value is None:
        return False if info["type"] == "boolean" else None
    if info["type"] in {"id", "reference"}:
        return to_18(str(value)) if is_id(str(value)) else str(value)
    if info["type"] == "datetime":
        return instant(str(value))
    if info["type"] in _TEXT and not info["caseSensitive"]:
        return str(value).lower()
    return value


def _range(now: datetime, word: str) -> tuple[datetime, datetime]:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    if word == "TODAY":
        return today, today + day
    if word == "YESTERDAY":
        return today - day, today
    if word == "THIS_WEEK":
        begin = today - day * ((today.weekday() + 1) % 7)
        return begin, begin + 7 * day
    if word == "THIS_MONTH":
        begin = today.replace(day=1)
        return begin, (begin + 32 * day).replace(day=1)
    return today - day * int(word.partition(":")[2]), today + day


def _like(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%|_|[^\\%_]+", text)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(p, re.escape(p.removeprefix("\\"))) for p in parts)
    return re.compile(pattern.lower(), re.DOTALL)


def _resolve(
    asking: Asking, select: Select, definition: Definition, path: str, at: int
) -> Definition:
    """Return the field of a path through lookups; refused if any part is not visible."""
    names = path.split(".")
    if len(names) > 1 and names[0].lower() in {select.alias.lower(), definition["name"].lower()}:
        names = names[1:]
    if len(names) > 6:
        raise refused("INVALID_FIELD", "Maximum depth of relationship path is 5")
    current = definition
    for relation in names[:-1]:
        current = _parent(asking, select, current, relation, at)
    info = asking.world.sees(current, names[-1], asking.user)
    if info is None:
        raise _no_column(select, current, names[-1], at)
    return info


def _parent(
    asking: Asking, select: Select, definition: Definition, relation: str, at: int
) -> Definition:
    lookup = _lookup(definition, relation)
    if lookup is None:
        words = (
            f"Didn't understand relationship '{relation}' in field path. If you are attempting to "
            "use a custom relationship, be sure to append the '__r' after the custom relationship "
            "name. Please reference your WSDL or the describe call for the appropriate names."
        )
        raise refused("INVALID_FIELD", _caret(select.text, at, words))
    targets = lookup["referenceTo"]
    return asking.world.definitions["User" if "User" in targets else targets[0]]


def _lookup(definition: Definition, relation: str) -> Definition | None:
    for one in definition["fields"]:
        if (one["relationshipName"] or "").lower() == relation.lower():
            found: Definition = one
            return found
    return None


def _no_column(select: Select, definition: Definition, name: str, at: int) -> Refused:
    words = (
        f"No such column '{name}' on entity '{definition['name']}'. If you are attempting to use a "
        "custom field, be sure to append the '__c' after the custom field name. Please reference "
        "your WSDL or the describe call for the appropriate names."
    )
    return refused("INVALID_FIELD", _caret(select.text, at, words))


def _value(asking: Asking, definition: Definition, row: Row, path: str) -> Any:  # noqa: ANN401
    names = path.split(".")
    if len(names) > 1 and names[0].lower() == definition["name"].lower():
        names = names[1:]
    current, where = row, definition
    for relation in names[:-1]:
        lookup = _lookup(where, relation)
        found = _followed(asking.world, lookup, current) if lookup else None
        if found is None:
            return None
        target, current = found
        where = asking.world.definitions[target]
    info = field_of(where, names[-1])
    return current.get(info["name"]) if info else None


def _followed(world: World, lookup: Definition, row: Row) -> tuple[str, Row] | None:
    """Return the object and row that a lookup points to."""
    own = row.get(lookup["name"])
    target = world.by_prefix(str(own)) if own else None
    found = world.find(target, str(own)) if target else None
    return (target, found) if target and found else None


def _ordered(asking: Asking, select: Select, definition: Definition, rows: list[Row]) -> list[Row]:
    for name, descending, nulls_last in reversed(select.order):
        info = _resolve(asking, select, definition, name, 0)
        if not info["sortable"]:
            raise refused("INVALID_FIELD", f"field '{name}' can not be sorted in a query call")
        keyed = [(_comparable(info, _value(asking, definition, row, name)), row) for row in rows]
        filled = sorted(
            (pair for pair in keyed if pair[0] is not None),
            key=lambda pair: pair[0],
            reverse=descending,
        )
        empty = [row for key, row in keyed if key is None]
        present = [row for _, row in filled]
        rows = [*present, *empty] if nulls_last else [*empty, *present]
    return rows


def _paths(asking: Asking, select: Select, definition: Definition) -> list[str]:
    """Return the requested paths with the letter case of the description."""
    found: list[str] = []
    for name, at in select.fields:
        if name.startswith("FIELDS("):
            found += _all_fields(asking, select, definition, name)
            continue
        info = _resolve(asking, select, definition, name, at)
        head = name.rpartition(".")[0]
        parts = [one for one in head.split(".") if one]
        if parts and parts[0].lower() in {select.alias.lower(), definition["name"].lower()}:
            parts = parts[1:]
        found.append(".".join([*parts, info["name"]]))
    return found


def _all_fields(asking: Asking, select: Select, definition: Definition, which: str) -> list[str]:
    if which != "FIELDS(STANDARD)" and (select.limit is None or select.limit > 200):
        words = "The SOQL FIELDS function must have a LIMIT of at most 200"
        raise refused("MALFORMED_QUERY", words)
    visible = asking.world.visible(definition, asking.user)
    return [
        one["name"]
        for one in visible
        if which == "FIELDS(ALL)" or one["custom"] == (which == "FIELDS(CUSTOM)")
    ]


def _row(asking: Asking, select: Select, definition: Definition, row: Row, paths: list[str]) -> Row:
    found: Row = {"attributes": attributes(asking, definition["name"], row["Id"])}
    for path in paths:
        _put(asking, found, definition, row, path)
    for child in select.children:
        found[child.source] = _children(asking, child, definition, row)
    return found


def _put(asking: Asking, found: Row, definition: Definition, row: Row, path: str) -> None:
    head, _, rest = path.partition(".")
    if not rest:
        found[head] = row.get(head)
        return
    lookup = _lookup(definition, head)
    parent = _followed(asking.world, lookup, row) if lookup else None
    if parent is None:
        found.setdefault(head, None)
        return
    name, target = parent
    nested = found.setdefault(head, {"attributes": attributes(asking, name, target["Id"])})
    _put(asking, nested, asking.world.definitions[name], target, rest)


def _children(asking: Asking, child: Select, definition: Definition, row: Row) -> Row | None:
    relation = next(
        (
            one
            for one in definition["childRelationships"]
            if (one["relationshipName"] or "").lower() == child.source.lower()
        ),
        None,
    )
    if relation is None:
        words = f"Didn't understand relationship '{child.source}' in FROM part of query call."
        raise refused("INVALID_TYPE", _caret(child.text, child.source_at, words))
    mine = Test(relation["field"], "=", Literal("string", row["Id"]), child.source_at)
    where = mine if child.where is None else Both("AND", (mine, child.where))
    inner = Select(
        text=child.text,
        fields=child.fields,
        source=relation["childSObject"],
        where=where,
        order=child.order,
        limit=child.limit,
    )
    rows = answer(asking, inner)
    if not rows or isinstance(rows, int):
        return None
    return {"totalSize": len(rows), "done": True, "records": rows}


def _caret(text: str, at: int, words: str) -> str:
    begin = max(0, at - 60)
    line = text[begin : at + 60].replace("\n", " ")
    return f"\n{line}\n{' ' * (at - begin)}^\nERROR at Row:1:Column:{at + 1}\n{words}"
