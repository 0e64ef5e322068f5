"""PagerDuty's published OpenAPI documents, as a judge of requests and answers."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import jsonschema_rs
from pd_deviations import REPAIRS

REST = "pagerduty-REST.mock.openapiv3.json"
EVENTS = ("pagerduty-events-v2.openapiv3.json", "pagerduty-events-v1.openapiv3.json")
V1_PATH = "/generic/2010-04-15"


class Exchange(NamedTuple):
    """A request and its answer, as they went over the wire."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any
    status: int
    answer: Any


class Finding(NamedTuple):
    """What does not agree with the published document."""

    operation: str
    where: str
    message: str


class Oracle:
    """Judges exchanges by one OpenAPI document."""

    def __init__(self, document: Mapping[str, Any], *, prefix: str = "") -> None:
        self._published = document
        self._prefix = prefix
        self._sides = {
            "request": _relaxed(document, nulls=False),
            "response": _relaxed(document, nulls=True),
        }
        self._validators: dict[tuple[str, str], Any] = {}
        self._paths = [(path, _pattern(path)) for path in document["paths"]]
        self._paths.sort(key=lambda one: one[0].count("{"))

    def operation(self, method: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return the template and declaration of an operation."""
        if not path.startswith(self._prefix):
            return None
        asked = path.removeprefix(self._prefix)
        for template, pattern in self._paths:
            declared = self._published["paths"][template].get(method.lower())
            if declared and pattern.fullmatch(asked):
                return template, declared
        return None

    def judge(self, one: Exchange) -> Iterator[Finding]:
        """Yield what is wrong with a request and its answer."""
        found = self.operation(one.method, one.path)
        if found is None:
            yield Finding(f"{one.method} {one.path}", "path", "is no published operation")
            return
        template, declared = found
        name = f"{one.method} {template}"
        yield from self._judge_parameters(name, declared, one)
        if "requestBody" in declared:
            pointer = self._pointer(template, one.method, "requestBody")
            yield from self._judge_body(name, "request", pointer, one.body)
        yield from self._judge_answer(name, template, declared, one)

    def _judge_parameters(
        self, name: str, declared: Mapping[str, Any], one: Exchange
    ) -> Iterator[Finding]:
        parameters = [self._resolved(part) for part in declared.get("parameters", ())]
        known = {part["name"] for part in parameters if part["in"] == "query"}
        for key in sorted({key for key, _ in one.query} - known):
            yield Finding(name, "query", f"{key} is no parameter")
        wanted = {
            part["name"] for part in parameters if part["in"] == "query" and part.get("required")
        }
        for key in sorted(wanted - {key for key, _ in one.query}):
            yield Finding(name, "query", f"{key} is required")
        for part in parameters:
            required = part["in"] == "header" and part.get("required")
            if required and part["name"].lower() not in one.headers:
                yield Finding(name, "header", f"{part['name']} is required")

    def _judge_answer(
        self, name: str, template: str, declared: Mapping[str, Any], one: Exchange
    ) -> Iterator[Finding]:
        answers = declared["responses"]
        if str(one.status) not in answers:
            yield Finding(name, "status", f"{one.status} is not declared")
            return
        if one.status >= 400:
            return  # error bodies come in every shape
        described = self._resolved(answers[str(one.status)])
        if "application/json" not in described.get("content", {}):
            return
        pointer = self._pointer(template, one.method, "responses", str(one.status))
        yield from self._judge_body(name, "response", pointer, one.answer)

    def _judge_body(self, name: str, side: str, pointer: str, body: Any) -> Iterator[Finding]:
        validator = self._validator(side, pointer)
        if validator is None:
            return
        for fault in validator.iter_errors(body):
            place = "/".join(map(str, fault.instance_path))
            yield Finding(name, f"{side} /{place}", fault.message[:200])

    def _validator(self, side: str, pointer: str) -> Any:
        key = (side, pointer)
        if key not in self._validators:
            document = self._sides[side]
            where = _follow(document, pointer)
            if "$ref" in where:
                pointer = where["$ref"].removeprefix("#")
                where = _follow(document, pointer)
            schema = where.get("content", {}).get("application/json", {}).get("schema")
            target = _uri(f"#{pointer}/content/application~1json/schema")
            self._validators[key] = schema and jsonschema_rs.Draft4Validator(
                {**document, "$ref": target}, validate_formats=True
            )
        return self._validators[key]

    def _pointer(self, template: str, method: str, *more: str) -> str:
        path = template.replace("~", "~0").replace("/", "~1")
        return "/" + "/".join(["paths", path, method.lower(), *more])

    def _resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in part:
            return part
        found: Mapping[str, Any] = _follow(self._published, part["$ref"].removeprefix("#"))
        return found


def load(folder: Path) -> list[Oracle]:
    """Return the judges of REST, Events v2 and Events v1."""
    rest = json.loads((folder / REST).read_text())
    for repair in REPAIRS:
        parent, _, name = repair.pointer.rpartition("/")
        place = _follow(rest, parent)
        if name == "-":
            place.append(repair.value)
        else:
            place[name] = repair.value
    v2, v1 = (json.loads((folder / name).read_text()) for name in EVENTS)
    return [Oracle(v2, prefix="/v2"), Oracle(v1, prefix=V1_PATH), Oracle(rest)]


def judge(oracles: list[Oracle], one: Exchange) -> list[Finding]:
    """Return what the document that knows the operation finds wrong."""
    for oracle in oracles:
        if oracle.operation(one.method, one.path):
            return list(oracle.judge(with_references(one)))
    return list(oracles[-1].judge(one))


def with_references(one: Exchange) -> Exchange:
    """Return the exchange with included objects typed as the references they stand for.

    The documents declare references only; include[] puts the full object in the same place.
    """
    included = {value for key, value in one.query if key == "include[]"}
    kinds = {kind for name in included & set(KINDS) for kind in KINDS[name]}
    return one._replace(answer=_retyped(one.answer, kinds)) if kinds else one


KINDS = {
    "incidents": ("incident",),
    "users": ("user",),
    "targets": ("user", "schedule"),
    "integrations": (
        "events_api_v2_inbound_integration",
        "generic_events_api_inbound_integration",
    ),
}


def _retyped(node: Any, kinds: set[str], *, top: bool = True) -> Any:
    if isinstance(node, list):
        return [_retyped(one, kinds, top=top) for one in node]
    if not isinstance(node, dict):
        return node
    shown = {
        key: _retyped(value, kinds, top=key.endswith("s") and top) for key, value in node.items()
    }
    if not top and node.get("type") in kinds:
        shown["type"] = f"{node['type']}_reference"
    return shown


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def _uri(pointer: str) -> str:
    return pointer.replace("{", "%7B").replace("}", "%7D")


def _follow(document: Mapping[str, Any], pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def _relaxed(document: Mapping[str, Any], *, nulls: bool) -> dict[str, Any]:
    """Return the document with its own defects repaired, as JSON schema of draft 4.

    Fields documented as never null come as null; branches of oneOf overlap; discriminators
    point nowhere; ids and types of references are read-only although they must be sent.
    """
    copied = copy.deepcopy(
        {key: document[key] for key in ("paths", "components") if key in document}
    )
    _relax(copied, nulls=nulls)
    return copied


def _relax(node: Any, *, nulls: bool) -> None:
    if isinstance(node, list):
        for one in node:
            _relax(one, nulls=nulls)
    if not isinstance(node, dict):
        return
    _drop_noise(node)
    if isinstance(node.get("oneOf"), list):
        node["anyOf"] = node.pop("oneOf")
    if isinstance(node.get("$ref"), str):
        node["$ref"] = _uri(node["$ref"].replace("/oneOf/", "/anyOf/"))
    if nulls or node.get("nullable") is True:
        _allow_null(node)
    for one in list(node.values()):
        _relax(one, nulls=nulls)


def _drop_noise(node: dict[str, Any]) -> None:
    """Drop what says nothing of validity, unless it is a property of that name."""
    for name in ("discriminator", "example", "examples"):
        if not isinstance(node.get(name), dict) or "type" not in node.get(name, {}):
            node.pop(name, None)
    for name in ("readOnly", "writeOnly"):
        if isinstance(node.get(name), bool):
            del node[name]


def _allow_null(node: dict[str, Any]) -> None:
    if isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    if isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("anyOf"), list):
        node["anyOf"].append({"enum": [None]})
