"""Composite calls of the simulated org: composite, batch and collections."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hub_salesforce.ids import is_id
from hub_salesforce.testing.answers import Refused, Reply, refused
from hub_salesforce.testing.rest import Call, Routes, respond
from hub_salesforce.testing.saving import Transaction
from hub_salesforce.testing.world import Row

_MOST, _QUERIES, _ROWS = 25, 5, 200
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])+)\}")


def _composite(call: Call) -> Reply:
    parts = (call.body or {}).get("compositeRequest")
    if not isinstance(parts, list) or not parts:
        raise refused("JSON_PARSER_ERROR", "compositeRequest must be a list")
    _limits(parts)
    if (call.body or {}).get("allOrNone"):
        return _together(call, parts)
    answers: dict[str, Any] = {}
    return _composed([_part(call, part, answers, None) for part in parts])


def _together(call: Call, parts: list[Row]) -> Reply:
    transaction = Transaction(call.saver)
    answers: dict[str, Any] = {}
    done = []
    for part in parts:
        one = _part(call, part, answers, transaction)
        done.append(one)
        if one["httpStatusCode"] >= 400:
            transaction.rollback()
            return _composed([_halted(p, one) for p in parts])
    transaction.commit()
    return _composed(done)


def _limits(parts: list[Row]) -> None:
    heavy = [p for p in parts if re.search("/query|/composite", str(p.get("url", "")))]
    if len(parts) > _MOST or len(heavy) > _QUERIES:
        words = (
            f"Limit Exceeded. The number of subrequests is {len(parts)} of {_MOST}, "
            f"queries and collections {len(heavy)} of {_QUERIES}"
        )
        raise refused("LIMIT_EXCEEDED", words)
    names = [str(p.get("referenceId", "")) for p in parts]
    if len(set(names)) != len(names) or not all(re.fullmatch(r"\w+", n) for n in names):
        raise refused("JSON_PARSER_ERROR", "referenceId: letters, digits and _, each once")


def _part(call: Call, part: Row, answers: dict[str, Any], transaction: Transaction | None) -> Row:
    try:
        filled = _filled({k: part.get(k) for k in ("url", "body")}, answers)
    except KeyError as unknown:
        words = f"Invalid reference specified. No value for {unknown} found"
        halted = {"errorCode": "PROCESSING_HALTED", "message": words}
        return _shown(part, Reply(status=400, body=[halted]))
    reply = _one(call, part, filled, transaction)
    answers[str(part["referenceId"])] = reply.body
    return _shown(part, reply)


def _one(call: Call, part: Row, filled: Row, transaction: Transaction | None) -> Reply:
    split = urlsplit(str(filled["url"]))
    headers = {k.lower(): v for k, v in (part.get("httpHeaders") or {}).items()}
    return respond(
        replace(
            call,
            method=str(part.get("method", "GET")).upper(),
            path=unquote(split.path),
            query=dict(parse_qsl(split.query, keep_blank_values=True)),
            headers={**_inherited(call.headers), **headers},
            body=filled["body"],
            transaction=transaction,
        )
    )


def _inherited(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {"sforce-call-options", "sforce-duplicate-rule-header", "sforce-query-options"}
    return {name: value for name, value in headers.items() if name in kept}


def _filled(node: Any, answers: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return {name: _filled(value, answers) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(one, answers) for one in node]
    if isinstance(node, str):
        return _REFERENCE.sub(lambda m: str(_referred(m, answers)), node)
    return node


def _referred(match: re.Match[str], answers: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    found = answers[match[1]]
    for step in re.findall(r"\.(\w+)|\[(\d+)\]", match[2]):
        name, index = step
        try:
            found = found[int(index)] if index else found[name]
        except (KeyError, IndexError, TypeError) as error:
            raise KeyError(match[0]) from error
    return found


def _shown(part: Row, reply: Reply) -> Row:
    return {
        "body": reply.body,
        "httpHeaders": reply.headers,
        "httpStatusCode": reply.status,
        "referenceId": part.get("referenceId"),
    }


def _halted(part: Row, failed: Row) -> Row:
    if part.get("referenceId") == failed["referenceId"]:
        return failed
    words = (
        "The transaction was rolled back since another operation in the same transaction failed."
    )
    error = {"errorCode": "PROCESSING_HALTED", "message": words}
    return _shown(part, Reply(status=400, body=[error]))


def _composed(parts: list[Row]) -> Reply:
    return Reply(body={"compositeResponse": parts})


def _batch(call: Call) -> Reply:
    requests = (call.body or {}).get("batchRequests") or []
    if len(requests) > _MOST:
        raise refused("LIMIT_EXCEEDED", f"at most {_MOST} requests")
    results, failed = [], False
    for one in requests:
        if failed and call.body.get("haltOnError"):
            error = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}
            results.append({"statusCode": 412, "result": [error]})
            continue
        path = f"/services/data/{str(one['url']).lstrip('/').removeprefix('services/data/')}"
        part = {**one, "referenceId": "x"}
        reply = _one(call, part, {"url": path, "body": one.get("richInput")}, None)
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
    return Reply(body={"hasErrors": failed, "results": results})


def _create_all(call: Call) -> Reply:
    def act(transaction: Transaction, row: Row) -> Row:
        return {"id": transaction.create(_type(row), _plain(row)), "success": True, "errors": []}

    return _collection(call, act)


def _update_all(call: Call) -> Reply:
    def act(transaction: Transaction, row: Row) -> Row:
        own = str(row.get("Id") or row.get("id") or "")
        transaction.update(_type(row), own, _plain(row))
        return {"id": own, "success": True, "errors": []}

    return _collection(call, act)


def _upsert_all(call: Call, object: str, name: str) -> Reply:
    def act(transaction: Transaction, row: Row) -> Row:
        value, plain = row.get(name), _plain(row)
        found = _existing(call, object, name, value)
        if found is None:
            given = plain if name == "Id" else {**plain, name: value}
            own, created = transaction.create(object, given), True
        else:
            own, created = found, False
            transaction.update(object, own, {k: v for k, v in plain.items() if k != name})
        return {"id": own, "success": True, "errors": [], "created": created}

    return _collection(call, act)


def _existing(call: Call, object: str, name: str, value: object) -> str | None:
    if value is None:
        return None
    if name == "Id":
        return str(value) if is_id(str(value)) else None
    definition = call.world.definition(object)
    info = call.world.sees(definition, name, call.user)
    if info is None or not (info["externalId"] or info["idLookup"]):
        words = f"Provided external ID field does not exist or is not accessible: {name}"
        raise Refused(404, {"errorCode": "NOT_FOUND", "message": words})
    for row in call.world.rows(definition["name"]):
        if row.get(info["name"]) == value and not row["IsDeleted"]:
            return str(row["Id"])
    return None


def _collection(call: Call, act: Callable[[Transaction, Row], Row]) -> Reply:
    rows = (call.body or {}).get("records")
    if not isinstance(rows, list) or len(rows) > _ROWS:
        raise refused("JSON_PARSER_ERROR", f"records must be a list of at most {_ROWS}")
    whole = bool(call.body.get("allOrNone"))
    results = _each(call, rows, act) if not whole else _all(call, rows, act)
    return Reply(body=results)


def _each(call: Call, rows: list[Row], act: Callable[[Transaction, Row], Row]) -> list[Row]:
    results = []
    for row in rows:
        transaction = Transaction(call.saver)
        try:
            results.append(act(transaction, row))
        except Refused as no:
            transaction.rollback()
            results.append(_failed(no))
            continue
        transaction.commit()
    return results


def _all(call: Call, rows: list[Row], act: Callable[[Transaction, Row], Row]) -> list[Row]:
    transaction = Transaction(call.saver)
    results, refusal = [], None
    for row in rows:
        try:
            results.append(act(transaction, row))
        except Refused as no:
            refusal = refusal or no
            results.append(_failed(no))
    if refusal is None:
        transaction.commit()
        return results
    transaction.rollback()
    words = (
        "Record rolled back because not all records were valid and the request was using "
        "AllOrNone header"
    )
    back = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": words, "fields": []}
    return [{"success": False, "errors": [back]} if one["success"] else one for one in results]


def _failed(no: Refused) -> Row:
    errors = [
        {"statusCode": e["errorCode"], "message": e["message"], "fields": e.get("fields", [])}
        for e in no.errors
    ]
    return {"success": False, "errors": errors}


def _type(row: Row) -> str:
    return str((row.get("attributes") or {}).get("type", ""))


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"attributes", "Id", "id"}}


ROUTES: Routes = (
    (re.compile("/composite/sobjects/([A-Za-z0-9_]+)/([A-Za-z0-9_]+)"), {"PATCH": _upsert_all}),
    (re.compile("/composite/sobjects"), {"POST": _create_all, "PATCH": _update_all}),
    (re.compile("/composite/batch"), {"POST": _batch}),
    (re.compile("/composite"), {"POST": _composite}),
)
"""The composite resources; they call the API's own."""
