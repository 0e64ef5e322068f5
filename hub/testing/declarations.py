"""What the kit asks of a plugin's declarations; each check returns the faults it found."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from hub.catalog import Contribution
from hub.sdk.connector_types import ConnectorType
from hub.testing.subject import Subject

_SECRET_WORDS = re.compile(
    r"(^|_)(token|secret|password|passphrase|api_key|private_key|credentials?)s?($|_value$)"
)
_LONGEST_LABEL = 80
_FREE_CASE = {"connector type", "operator"}


def loading_faults(subject: Subject) -> list[str]:
    """Say why the hub would not use the plugin, or not all of it."""
    report = subject.loaded.report(subject.name)
    if report is None:
        return [f"The plugin {subject.name!r} was not found."]
    found = [report.reason] if report.reason else []
    return [*found, *(str(one) for one in report.problems), *report.warnings]


def label_faults(declared: Contribution) -> list[str]:
    """Find labels that don't begin with a capital, end with a full stop, or are too long."""
    return [fault for what, label, free in _labels(declared) for fault in _label(what, label, free)]


def _labels(declared: Contribution) -> Iterator[tuple[str, str, bool]]:
    for kind, name, one in declared.named():
        if hasattr(one, "label"):
            yield f"{kind.word} {name!r}", one.label, kind.word in _FREE_CASE
    for one in declared.connector_types:
        checks = ((f"check {part.name!r}", part.label, False) for part in one.checks)
        queries = ((f"query {part.name!r}", part.label, False) for part in one.queries)
        yield from (*checks, *queries)
    for field in declared.fields:
        yield from (
            (f"choice {choice.value!r} of {field.name!r}", choice.label, True)
            for choice in field.choices
        )


def _label(what: str, label: str, free_case: bool) -> Iterator[str]:  # noqa: FBT001 - private
    if not label or label != label.strip():
        yield f"{what}: its label {label!r} is empty or has spaces around it"
    elif label[0].islower() and not free_case:
        yield f"{what}: its label {label!r} must begin with a capital letter"
    if label.endswith("."):
        yield f"{what}: its label {label!r} must not end with a full stop"
    if len(label) > _LONGEST_LABEL:
        yield f"{what}: its label is longer than {_LONGEST_LABEL} characters"


def waiting_faults(declared: Contribution) -> list[str]:
    """Find what takes time and is no `async def`, and what must be sync and is one."""
    waits = [one for declaration in _parts(declared) for one in _waiting(declaration)]
    pure = [one for declaration in _parts(declared) for one in _pure(declaration)]
    return [
        *(f"{what} must be `async def`" for what, one in waits if not is_async(one)),
        *(f"{what} must be a plain `def`" for what, one in pure if is_async(one)),
    ]


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives something to await."""
    while isinstance(function, partial):
        function = function.func
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004 - its method is looked at, not called
    return inspect.iscoroutinefunction(called)


def _parts(declared: Contribution) -> Iterator[Any]:
    for _, _, one in declared.named():
        yield one
        if isinstance(one, ConnectorType):
            yield from (*one.checks, *one.pollers, *one.choices, *one.queries)
            yield from filter(None, (one.receiver, one.subscription, one.discovery, one.handshake))


_WAITING = ("run", "fetch", "fetch_one", "objects", "fields", "ensure", "inspect", "ping", "remove",
            "complete", "perform", "find", "outbound", "inbound", "read")  # fmt: skip
_PURE = ("connect", "verify", "parse", "delivery_key", "start", "read_config", "quota", "writes",
         "build", "apply", "compile", "keys", "simulator")  # fmt: skip


def _waiting(one: Any) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401 - any part
    return _functions(one, _WAITING)


def _pure(one: Any) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401 - any part
    return _functions(one, _PURE)


def _functions(one: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401 - any part
    for name in names:
        function = getattr(one, name, None)
        if callable(function):
            known = getattr(one, "name", getattr(one, "source_object", ""))
            yield f"{type(one).__name__} {known!r}: {name}", function


def secret_faults(subject: Subject) -> list[str]:
    """Find secrets that are plain text, and secrets that `repr` shows."""
    found: list[str] = []
    for declared in subject.connector_types.values():
        found += _plain_secrets(declared.settings)
        settings = subject.read_settings(declared)
        shown = repr(settings) + str(settings)
        found += [
            f"{type(settings).__name__}: repr shows a secret"
            for secret in subject.secrets()
            if secret in shown
        ]
    return found


def _plain_secrets(model: type[BaseModel]) -> Iterator[str]:
    for name, member in model.model_fields.items():
        if _SECRET_WORDS.search(name) and _is_text(member.annotation):
            yield f"{model.__name__}.{name} must be a SecretStr"


def _is_text(annotation: Any) -> bool:  # noqa: ANN401 - a type expression
    if annotation is str:
        return True
    return any(_is_text(part) for part in getattr(annotation, "__args__", ()))


def form_faults(declared: Contribution) -> list[str]:
    """Find members of settings and parameters without a title or a description."""
    return [
        f"{what}: {name!r} has no {word}"
        for what, model in _forms(declared)
        for name, member in _members(model).items()
        for word in ("title", "description")
        if not str(member.get(word, "")).strip()
    ]


def _forms(declared: Contribution) -> Iterator[tuple[str, type[BaseModel]]]:
    for kind, name, one in declared.named():
        if isinstance(one, ConnectorType):
            yield f"settings of {name!r}", one.settings
            for query in one.queries:
                yield f"query {query.name!r}", query.params
        elif hasattr(one, "params"):
            yield f"{kind.word} {name!r}", one.params


def _members(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    schema = model.model_json_schema()
    defs = schema.get("$defs", {})
    members: dict[str, Mapping[str, Any]] = {}
    for name, member in schema.get("properties", {}).items():
        target = defs.get(str(member.get("$ref", "")).rpartition("/")[2], {})
        members[name] = {**target, **member}
    return members


def writes_faults(declared: Contribution) -> list[str]:
    """Find actions that change a declared field and don't say which values they write."""
    known = {one.source_object for one in declared.fields if one.writable}
    return [
        f"action {one.name!r}: `{one.verb}` changes {one.target!r} but has no `writes`"
        for one in declared.actions
        if one.verb.startswith(("set_", "update_")) and one.target in known and one.writes is None
    ]
