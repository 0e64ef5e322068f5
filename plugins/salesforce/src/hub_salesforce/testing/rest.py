"""The REST API of the simulated org; one call in, one reply out."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, TypeAlias

from hub_salesforce.ids import is_id, to_18
from hub_salesforce.testing import describing
from hub_salesforce.testing.answers import Refused, Reply, not_found, refused
from hub_salesforce.testing.evaluate import Asking, answer, attributes
from hub_salesforce.testing.query import parse
from hub_salesforce.testing.saving import Saver, Transaction, save
from hub_salesforce.testing.schema import Definition
from hub_salesforce.testing.world import Row, User, World
from hub_salesforce.values import instant

Routes: TypeAlias = "Sequence[tuple[re.Pattern[str], Mapping[str, Callable[..., Reply]]]]"
"""Resources by pattern of their path, and what answers each method."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One REST call, signed in; sub-requests of a composite are calls too."""

    world: World
    user: User
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    transaction: Transaction | None = None
    resources: "Routes" = ()

    @property
    def root(self) -> str:
        """The path of the API version: /services/data/v60.0."""
        return "/".join(self.path.split("/")[:4])

    @property
    def rest(self) -> str:
        """The path below the root."""
        return self.path[len(self.root) :].rstrip("/")

    @property
    def version(self) -> float:
        """The API version."""
        return float(self.root.rpartition("/v")[2])

    @property
    def saver(self) -> Saver:
        """Who saves by this call."""
        options = self.headers.get("sforce-call-options", "")
        found = re.search(r"client=([^,;]+)", options)
        allow = "allowsave=true" in self.headers.get("sforce-duplicate-rule-header", "").lower()
        return Saver(
            world=self.world,
            user=self.user,
            client=found[1] if found else "",
            allow_duplicates=allow,
        )

    def write(self, act: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what `act` gives
        """Save, in the surrounding transaction where there is one."""
        return act(self.transaction) if self.transaction else save(self.saver, act)


def respond(call: Call) -> Reply:
    """Answer one call below /services/data/v{version}."""
    try:
        return _routed(call)
    except Refused as no:
        return no.reply


def _routed(call: Call) -> Reply:
    for pattern, methods in (*call.resources, *_ROUTES):
        match = pattern.fullmatch(call.rest)
        if match is None:
            continue
        method = _effective(call)
        if method not in methods:
            words = f"HTTP Method '{call.method}' not allowed. Allowed are {', '.join(methods)}"
            raise refused("METHOD_NOT_ALLOWED", words, status=405)
        return methods[method](call, *match.groups())
    raise not_found()


def _effective(call: Call) -> str:
    other = call.query.get("_HttpMethod", "")
    return other.upper() if call.method == "POST" and other else call.method


def _resources(call: Call) -> Reply:
    names = ("sobjects", "query", "queryAll", "composite", "limits", "search")
    return Reply(body={name: f"{call.root}/{name}" for name in names})


def _limits(call: Call) -> Reply:
    used = call.world.calls_today
    left = max(0, call.world.daily_limit - used)
    big = {"Max": 250_000, "Remaining": 250_000}
    body = {
        "DailyApiRequests": {"Max": call.world.daily_limit, "Remaining": left},
        "DailyAsyncApexExecutions": dict(big),
        "DataStorageMB": {"Max": 5, "Remaining": 5},
    }
    return Reply(body=body)


def _record_count(call: Call) -> Reply:
    names = [n for n in call.query.get("sObjects", "").split(",") if n in call.world.records]
    counted = [{"count": len(call.world.records[n]), "name": n} for n in names]
    return Reply(body={"sObjects": [one for one in counted if one["count"]]})


def _query(call: Call) -> Reply:
    return _answered(call, deleted=False)


def _query_all(call: Call) -> Reply:
    return _answered(call, deleted=True)


def _answered(call: Call, *, deleted: bool) -> Reply:
    text = call.query.get("q", "")
    if not text:
        raise refused("MALFORMED_QUERY", "A query string has to be specified")
    asking = Asking(world=call.world, user=call.user, root=call.root, deleted=deleted)
    rows = answer(asking, parse(text))
    if isinstance(rows, int):
        return Reply(body={"totalSize": rows, "done": True, "records": []})
    return _page(call, rows, 0, _page_size(call))


def _page(call: Call, rows: list[Row], begin: int, size: int) -> Reply:
    shown, end = rows[begin : begin + size], begin + size
    body: Row = {"totalSize": len(rows), "done": end >= len(rows)}
    if end < len(rows):
        locator = f"01g{call.world.random.randrange(10**12):012d}"
        call.world.locators[locator] = (call.user.id, call.root, rows, size)
        body["nextRecordsUrl"] = f"{call.root}/query/{locator}-{end}"
    return Reply(body={**body, "records": shown})


def _more(call: Call, locator: str, begin: str) -> Reply:
    found = call.world.locators.get(locator)
    if found is None or found[0] != call.user.id:
        raise refused("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, found[2], int(begin), found[3])


def _page_size(call: Call) -> int:
    least, most = call.world.page_sizes
    found = re.search(r"batchSize=(\d+)", call.headers.get("sforce-query-options", ""))
    return min(most, max(least, int(found[1]))) if found else most


def _create(call: Call, object: str) -> Reply:
    name = call.world.definition(object)["name"]
    body = _body(call)
    made = call.write(lambda transaction: transaction.create(name, body))
    location = {"Location": f"{call.root}/sobjects/{name}/{made}"}
    return Reply(status=201, body={"id": made, "success": True, "errors": []}, headers=location)


def _read(call: Call, object: str, id: str) -> Reply:
    definition = call.world.definition(object)
    row = _row(call, definition, id)
    modified = _modified(row)
    since = _http_date(call, "if-modified-since")
    if since and modified <= since:
        return Reply(status=304, headers=_last_modified(modified))
    _precondition(call, definition, row)
    wanted = call.query.get("fields")
    visible = [one["name"] for one in call.world.visible(definition, call.user)]
    names = _named(definition, visible, wanted.split(",")) if wanted else visible
    asking = Asking(world=call.world, user=call.user, root=call.root)
    body = {"attributes": attributes(asking, definition["name"], row["Id"])}
    return Reply(body={**body, **{n: row.get(n) for n in names}}, headers=_last_modified(modified))


def _update(call: Call, object: str, id: str) -> Reply:
    definition = call.world.definition(object)
    row = _row(call, definition, id)
    _precondition(call, definition, row)
    body = _body(call)
    call.write(lambda transaction: transaction.update(definition["name"], row["Id"], body))
    return Reply(status=204)


def _delete(call: Call, object: str, id: str) -> Reply:
    definition = call.world.definition(object)
    row = _row(call, definition, id)
    call.write(lambda transaction: transaction.delete(definition["name"], row["Id"]))
    return Reply(status=204)


def _external(call: Call, object: str, name: str, value: str) -> tuple[Definition, list[Row]]:
    definition = call.world.definition(object)
    info = call.world.sees(definition, name, call.user)
    if info is None or not (info["externalId"] or info["idLookup"]):
        words = f"Provided external ID field does not exist or is not accessible: {name}"
        raise not_found(words)
    rows = [
        row
        for row in call.world.rows(definition["name"])
        if row.get(info["name"]) == value and not row["IsDeleted"]
    ]
    if len(rows) > 1:
        links = [f"{call.root}/sobjects/{definition['name']}/{row['Id']}" for row in rows]
        raise _Several(links)
    return definition, rows


class _Several(Refused):
    """More than one record has the external id: the answer is the list of their addresses."""

    def __init__(self, links: list[str]) -> None:
        super().__init__(300)
        self.links = links

    @property
    def reply(self) -> Reply:
        return Reply(status=300, body=self.links)


def _read_external(call: Call, object: str, name: str, value: str) -> Reply:
    definition, rows = _external(call, object, name, value)
    if not rows:
        raise not_found()
    return _read(call, definition["name"], rows[0]["Id"])


def _upsert(call: Call, object: str, name: str, value: str) -> Reply:
    if name.lower() == "id":
        return _update(call, object, value)
    definition, rows = _external(call, object, name, value)
    body = _body(call)
    if any(key.lower() == name.lower() for key in body):
        words = f"The {name} field should not be specified in the sobject data."
        raise refused("INVALID_FIELD", words)
    if rows:
        own = rows[0]["Id"]
        call.write(lambda transaction: transaction.update(definition["name"], own, body))
        if call.version < 46.0:
            return Reply(status=204)
        return Reply(body={"id": own, "success": True, "errors": [], "created": False})
    if call.query.get("updateOnly", "").lower() == "true":
        raise not_found()
    whole = {**body, name: value}
    made = call.write(lambda transaction: transaction.create(definition["name"], whole))
    return Reply(status=201, body={"id": made, "success": True, "errors": [], "created": True})


def _updated_ids(call: Call, object: str) -> Reply:
    definition = call.world.definition(object)
    begin, end = _span(call)
    ids = [
        row["Id"]
        for row in call.world.rows(definition["name"])
        if not row["IsDeleted"] and begin <= _modified(row) < end
    ]
    return Reply(body={"ids": ids, "latestDateCovered": _covered(end)})


def _deleted_rows(call: Call, object: str) -> Reply:
    definition = call.world.definition(object)
    begin, end = _span(call)
    rows = [
        {"id": row["Id"], "deletedDate": row["SystemModstamp"]}
        for row in call.world.rows(definition["name"])
        if row["IsDeleted"] and begin <= _modified(row) < end
    ]
    earliest = call.world.now() - timedelta(days=30)
    return Reply(
        body={
            "deletedRecords": rows,
            "earliestDateAvailable": _covered(earliest),
            "latestDateCovered": _covered(end),
        }
    )


def _span(call: Call) -> tuple[datetime, datetime]:
    try:
        begin, end = instant(call.query["start"]), instant(call.query["end"])
    except (KeyError, ValueError) as error:
        words = "start and end must be dates: 2026-11-20T09:20:44+00:00, with + as %2B"
        raise refused("INVALID_FIELD", words) from error
    if begin < call.world.now() - timedelta(days=30):
        raise refused("INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
    return begin, end


def _covered(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00.000+0000")


def _body(call: Call) -> Row:
    if not isinstance(call.body, dict):
        words = "The HTTP entity body is required, but this request has no entity body."
        raise refused("JSON_PARSER_ERROR", words)
    return call.body


def _row(call: Call, definition: Definition, id: str) -> Row:
    if not is_id(id):
        words = f"Provided external ID field does not exist or is not accessible: {id}"
        raise not_found(words)
    row = call.world.find(definition["name"], to_18(id))
    if row is None:
        raise not_found()
    if row["IsDeleted"]:
        error = {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}
        raise Refused(404, error)
    return row


def _named(definition: Definition, visible: list[str], wanted: list[str]) -> list[str]:
    by_lower = {name.lower(): name for name in visible}
    found = []
    for name in (one.strip() for one in wanted):
        if name.lower() not in by_lower:
            words = f"No such column '{name}' on sobject of type {definition['name']}"
            raise refused("INVALID_FIELD", words)
        found.append(by_lower[name.lower()])
    return found


def _precondition(call: Call, definition: Definition, row: Row) -> None:
    since = _http_date(call, "if-unmodified-since")
    if since and _modified(row) > since:
        error = {"message": "The record was modified", "errorCode": "PRECONDITION_FAILED"}
        raise Refused(412, error)
    if "if-match" in call.headers and definition["name"] == "Account":
        tag = f'"{_modified(row):%Y%m%d%H%M%S}"'
        if call.headers["if-match"] != tag:
            raise Refused(412, {"message": "ETag differs", "errorCode": "PRECONDITION_FAILED"})


def _http_date(call: Call, name: str) -> datetime | None:
    given = call.headers.get(name)
    try:
        return parsedate_to_datetime(given) if given else None
    except ValueError:
        return None


def _modified(row: Row) -> datetime:
    return instant(str(row["SystemModstamp"]))


def _last_modified(moment: datetime) -> dict[str, str]:
    return {"Last-Modified": format_datetime(moment, usegmt=True)}


def _global(call: Call) -> Reply:
    return describing.all_objects(call.world, call.root, call.headers)


_ID = "[A-Za-z0-9]+"
_O = "([A-Za-z0-9_]+)"
_ROUTES: Routes = (
    (re.compile(""), {"GET": _resources}),
    (re.compile("/limits"), {"GET": _limits}),
    (re.compile("/limits/recordCount"), {"GET": _record_count}),
    (re.compile("/query"), {"GET": _query}),
    (re.compile("/queryAll"), {"GET": _query_all}),
    (re.compile(r"/query/(01g\d+)-(\d+)"), {"GET": _more}),
    (re.compile("/sobjects"), {"GET": _global}),
    (
        re.compile(f"/sobjects/{_O}"),
        {"GET": lambda c, name: describing.one_object(c.world, name, c.root), "POST": _create},
    ),
    (
        re.compile(f"/sobjects/{_O}/describe"),
        {"GET": lambda c, name: describing.description(c.world, c.user, name, c.headers)},
    ),
    (
        re.compile(f"/sobjects/{_O}/describe/layouts"),
        {"GET": lambda call, name: describing.layouts(call.world, name)},
    ),
    (
        re.compile(f"/sobjects/{_O}/describe/layouts/({_ID})"),
        {"GET": lambda call, name, kind: describing.layout(call.world, name, kind)},
    ),
    (
        re.compile(f"/ui-api/object-info/{_O}/picklist-values/({_ID})"),
        {"GET": lambda call, name, _: describing.picklists(call.world, name)},
    ),
    (re.compile(f"/sobjects/{_O}/updated"), {"GET": _updated_ids}),
    (re.compile(f"/sobjects/{_O}/deleted"), {"GET": _deleted_rows}),
    (re.compile(f"/sobjects/{_O}/([^/]+)"), {"GET": _read, "PATCH": _update, "DELETE": _delete}),
    (re.compile(f"/sobjects/{_O}/{_O}/(.+)"), {"GET": _read_external, "PATCH": _upsert}),
)
