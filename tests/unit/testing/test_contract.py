"""Each check of the contract kit passes a good plugin and is seen to fail a faulty one."""

import inspect
import json
import socket
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

import hub
from hub.testing import PluginContract, contract
from hub.testing.payloads import PayloadFile, load_payloads, write_payload
from hub.testing.subject import Subject
from tests.unit.testing import hub_acme as acme

SETTINGS = {"token": "t0ken-value", "webhook_secret": "s3cret-value"}
ROW = {"id": "1", "status": "new", "size": 3}
TESTS = sorted(name for name in vars(PluginContract) if name.startswith("test_"))


def expected(verb: str, key: str, **changes: Any) -> dict[str, Any]:
    return {
        "trigger": f"acme.ticket.{verb}",
        "record": {
            "source_object": "acme.ticket",
            "id": "1",
            "values": {"status": "new", "size": 3} | changes,
        },
        "occurred_at": "2025-03-01T09:30:00Z",
        "key": key,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for verb in ("created", "updated"):
        sent = acme.signed({"key": verb, "verb": verb, "row": ROW})
        sent["headers"]["X-Delivery"] = verb
        made = PayloadFile(note="By hand.", events=[expected(verb, verb)], **sent)
        write_payload(tmp_path / f"{verb}.json", made)
    return tmp_path


def subject(folder: Path, **more: Any) -> Subject:
    given: dict[str, Any] = {
        "plugin": acme,
        "settings": SETTINGS,
        "records": {"acme.ticket": "1"},
        "payloads": load_payloads(folder),
    }
    return Subject(**(given | more))


def planted(name: str = "hub_acme", **hooks: Any) -> ModuleType:
    """Return the plugin with some hooks' answers replaced."""
    module = ModuleType(name)
    vars(module).update({key: one for key, one in vars(acme).items() if key.startswith("hub_")})
    for hook, answer in hooks.items():
        vars(module)[f"hub_{hook}"] = hub.hookimpl(lambda answer=answer: answer)
    return module


def connector(**changes: Any) -> ModuleType:
    return planted(register_connector_types=[replace(acme.ACME, **changes)])


def receiver(**changes: Any) -> ModuleType:
    return connector(receiver=replace(acme.ACME.receiver, **changes))


def actions(*changed: Any) -> ModuleType:
    return planted(register_actions=list(changed))


def run(test: str, subject: Subject) -> None:
    """Run a test of the contract in all its cases; fails like it."""
    method = getattr(PluginContract, test)
    cases = contract._cases(subject)
    names = [name for name in inspect.signature(method).parameters if name in cases]
    for values in product(*(cases[name].values() for name in names)):
        given = dict(zip(names, values, strict=True))
        if "subject" in inspect.signature(method).parameters:
            given["subject"] = subject
        method(PluginContract(), **given)


OF_FILES = {
    "test_its_page_answers_the_usual_questions",
    "test_no_file_holds_a_secret",
    "test_importing_it_is_cheap_and_opens_nothing",
    "test_saved_settings_are_still_accepted",
}


@pytest.mark.parametrize("test", sorted(set(TESTS) - OF_FILES))
def test_a_good_plugin_passes(test, folder):
    run(test, subject(folder))


# --------------------------------------------------------------------------- the faults


def giving(answer: Any) -> Any:
    return lambda *_: answer


class PlainToken(acme.Settings):
    api_token: str = Field(default="", title="Token", description="In plain sight")


class Shouting(acme.Settings):
    def __repr__(self) -> str:
        return f"Shouting({self.token.get_secret_value()})"


class Silent(BaseModel):
    text: str
    kind: Literal["a"] = "a"


def sync_check(client: Any) -> str:
    return "fine"


async def async_parse(request: Any) -> list[Any]:
    return []


def accept_all(settings: Any, request: Any) -> None:
    return


def by_header_only(settings: Any, request: Any) -> None:
    if "x-signature" not in request.headers:
        raise hub.InvalidSignature


def fragile_verify(settings: Any, request: Any) -> None:
    acme.verify(settings, replace(request, headers={"x-signature": request.headers["x-signature"]}))


def fragile_parse(request: Any) -> Any:
    json.loads(request.body)
    return acme.parse(request)


def parse_with(**changes: Any) -> Any:
    def parse(request: Any) -> Any:
        return [replace(one, **changes) for one in acme.parse(request)]

    return parse


def parse_values(**values: Any) -> Any:
    def parse(request: Any) -> Any:
        return [
            replace(one, record=replace(one.record, values={**one.record.values, **values}))
            for one in acme.parse(request)
        ]

    return parse


async def counting_note(call: Any) -> hub.ActionResult:
    """Make a new ticket at each call: the key is ignored."""
    row = await call.client.call(
        "PUT", f"/tickets/by-key/{id(object())}{NUMBERS.pop()}", {"status": "new"}
    )
    return hub.ActionResult(summary="Created", record=acme.record(row))


NUMBERS = list(range(1000))


async def never_found(call: Any) -> None:
    return None


async def found_too_soon(call: Any) -> hub.ActionResult:
    return hub.ActionResult(summary="Noted", note="n1")


async def other_found(call: Any) -> hub.ActionResult | None:
    found = await acme.find_note(call)
    return found and replace(found, note="n99")


async def own_connection(call: Any) -> hub.ActionResult:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", 9))
    return hub.ActionResult(summary="Done")


async def raw_status(call: Any) -> hub.ActionResult:
    answer = await call.client.http.get(f"{call.client.url}/me")
    answer.raise_for_status()
    return hub.ActionResult(summary="Done", record=acme.record(ROW))


async def careless(call: Any) -> hub.ActionResult:
    await call.client.http.get(f"{call.client.url}/me")
    return hub.ActionResult(summary="Done", record=acme.record(ROW))


async def fragile_json(call: Any) -> hub.ActionResult:
    answer = await call.client.http.get(f"{call.client.url}/me")
    hub.raise_for_answer(answer)
    answer.json()
    return hub.ActionResult(summary="Done", record=acme.record(ROW))


async def sure_of_itself(call: Any) -> hub.ActionResult:
    """Say Unavailable although the note may have been written."""
    try:
        return await acme.add_note(call)
    except hub.OutcomeUnknown as error:
        raise hub.Unavailable(str(error)) from error


async def impatient(call: Any) -> hub.ActionResult:
    try:
        return await acme.create(call)
    except hub.RateLimited as error:
        raise hub.RateLimited(str(error)) from error


async def babbling(call: Any) -> hub.ActionResult:
    try:
        return await acme.create(call)
    except hub.AuthenticationFailed as error:
        raise hub.AuthenticationFailed(f"{error}: t0ken-value") from error


async def speechless(call: Any) -> hub.ActionResult:
    return replace(await acme.create(call), summary=" ")


async def recordless(call: Any) -> hub.ActionResult:
    return replace(await acme.create(call), record=None)


async def elsewhere(call: Any) -> hub.ActionResult:
    made = await acme.create(call)
    return replace(made, record=replace(made.record, source_object="acme.other"))


async def blind_check(client: Any) -> str:
    try:
        await acme.signed_in(client)
    except hub.ConnectorError:
        return "Probably fine"
    return "Fine"


async def failing_check(client: Any) -> str:
    raise hub.Rejected("never good")


async def doubled(client: Any, search: str) -> list[hub.Choice]:
    return [hub.Choice(value="a", label="A"), hub.Choice(value="a", label="A")]


async def forgetful(client: Any, cursor: str | None) -> hub.Batch:
    return hub.Batch(events=[acme.event("updated", "1", ROW)], cursor="0")


def ticking(request: Any) -> str:
    return str(NUMBERS.pop())


def changed(action: Any, **changes: Any) -> ModuleType:
    return actions(replace(action, **changes))


def template(**changes: Any) -> ModuleType:
    return planted(register_ruleset_templates=[replace(acme.TEMPLATE, **changes)])


TICKET = acme.TICKET
LOADS = "test_the_hub_loads_it_whole"
LABELS = "test_labels_are_well_formed"
ASYNC = "test_whatever_takes_time_is_async"
MEANS = "test_a_payload_means_exactly_its_events"
TYPES = "test_values_are_of_their_fields_types"
BYTES = "test_any_bytes_are_events_or_invalid"
SIGNED = "test_a_changed_byte_is_refused"
TROUBLE = "test_an_action_in_trouble_says_which"
TWICE = "test_the_same_key_twice_is_one_effect"
WORKS = "test_an_action_works_on_the_simulator"
RULES = "test_templates_make_rules"
FAULTS: dict[str, tuple[str, ModuleType, str]] = {
    "a misspelt hook": (LOADS, planted(register_action=[]), "no hook 'hub_register_action'"),
    "a foreign prefix": (
        LOADS,
        planted(register_source_objects=[hub.SourceObject(name="other.ticket", label="T")]),
        "must begin with a connector type",
    ),
    "a dangling name": (
        LOADS,
        planted(register_fields=[TICKET.field("a", "A", choice_source="gone")]),
        "the choice source 'gone'",
    ),
    "a clash": (
        LOADS,
        planted(register_triggers=[*acme.TRIGGERS, acme.TRIGGERS[0]]),
        "declared twice",
    ),
    "a small letter": (LABELS, changed(acme.CREATE, label="create"), "capital"),
    "a full stop": (LABELS, connector(label="Acme."), "full stop"),
    "spaces": (LABELS, changed(acme.CREATE, label=" Create"), "spaces"),
    "a novel": (LABELS, changed(acme.CREATE, label="C" * 90), "longer than 80"),
    "a check's label": (
        LABELS,
        connector(checks=(replace(acme.ACME.checks[0], label="fine."),)),
        "check 'signed_in'",
    ),
    "a sync check": (
        ASYNC,
        connector(checks=(replace(acme.ACME.checks[0], run=sync_check),)),
        "run must be `async def`",
    ),
    "a sync action": (ASYNC, changed(acme.CREATE, perform=sync_check), "perform must be `async"),
    "an async parser": (ASYNC, receiver(parse=async_parse), "parse must be a plain `def`"),
    "a plain token": (
        "test_secrets_are_secret", connector(settings=PlainToken), "must be a SecretStr"
    ),
    "a shown secret": (
        "test_secrets_are_secret", connector(settings=Shouting), "repr shows a secret"
    ),
    "a form without words": (
        "test_forms_explain_themselves",
        changed(acme.ADD_NOTE, params=Silent),
        "'text' has no description",
    ),
    "a silent change": (
        "test_changes_say_what_they_write",
        changed(acme.SET_STATUS, writes=None),
        "has no `writes`",
    ),
    "a template without rules": (RULES, template(build=giving([])), "gives no rules"),
    "a template without keys": (RULES, template(build=giving([{}])), "no key"),
    "a template with a key twice": (
        RULES, template(build=giving([{"key": "a"}, {"key": "a"}])), "two rules"
    ),
    "a template of the moment": (
        RULES, template(build=lambda *_: [{"key": ticking(None)}]), "other rules each time"
    ),
    "a template of objects": (
        RULES, template(build=giving([{"key": "a", "x": TICKET}])), "not JSON"
    ),
    "a template of unknown fields": (
        RULES,
        template(build=giving([{"key": "a", "format": 1, "name": "A", "object": "acme.gone"}])),
        "/0/on: is required",
    ),
    "another event": (MEANS, receiver(parse=parse_with(key="other")), "expected"),
    "no event": (MEANS, receiver(parse=giving([])), "expected"),
    "an undeclared trigger": (
        TYPES, receiver(parse=parse_with(trigger="acme.ticket.gone")), "is not declared"
    ),
    "a naive time": (
        TYPES, receiver(parse=parse_with(occurred_at=acme.WEEK.replace(tzinfo=None))), "time zone"
    ),
    "a keyless event": (TYPES, receiver(parse=parse_with(key="")), "no key"),
    "a text for a number": (TYPES, receiver(parse=parse_values(size="3")), "is no integer"),
    "a truth for a number": (TYPES, receiver(parse=parse_values(size=True)), "is no integer"),
    "no such choice": (TYPES, receiver(parse=parse_values(status="gone")), "none of the choices"),
    "an undeclared field": (TYPES, receiver(parse=parse_values(other=1)), "no such field"),
    "everything accepted": (SIGNED, receiver(verify=accept_all), "accepted with neither"),
    "the body unsigned": (SIGNED, receiver(verify=by_header_only), "byte 0 changed"),
    "an unseen trigger": (
        "test_every_trigger_and_field_is_seen",
        planted(register_triggers=[*acme.TRIGGERS, TICKET.trigger("gone", "Gone")]),
        "'acme.ticket.gone' is seen in no payload",
    ),
    "an unseen field": (
        "test_every_trigger_and_field_is_seen",
        planted(register_fields=[*acme.FIELDS, TICKET.field("gone", "Gone")]),
        "'acme.ticket.gone' is seen in no payload",
    ),
    "a key that changes": (
        "test_a_delivery_keeps_its_key", receiver(delivery_key=ticking), "changes with each"
    ),
    "a key for all": (
        "test_a_delivery_keeps_its_key",
        receiver(delivery_key=giving("same")),
        "has the delivery_key of",
    ),
    "a parser that breaks": (BYTES, receiver(parse=fragile_parse), "parse raised"),
    "a parser of other things": (BYTES, receiver(parse=giving(["x"])), "returned str"),
    "a verifier that breaks": (
        "test_any_bytes_are_genuine_or_refused",
        receiver(verify=fragile_verify),
        "raised KeyError",
    ),
    "httpx's own error": (TROUBLE, changed(acme.CREATE, perform=raw_status), "HTTPStatusError"),
    "an ignored answer": (TROUBLE, changed(acme.CREATE, perform=careless), "as if all were well"),
    "a page read as JSON": (
        TROUBLE, changed(acme.CREATE, perform=fragile_json), "JSONDecodeError"
    ),
    "a guess after a write": (
        TROUBLE,
        changed(acme.ADD_NOTE, perform=sure_of_itself),
        "expected OutcomeUnknown, found Unavailable",
    ),
    "a pace ignored": (TROUBLE, changed(acme.CREATE, perform=impatient), "retry_after is None"),
    "a secret in an error": (
        TROUBLE, changed(acme.CREATE, perform=babbling), "shows a secret"
    ),
    "a blind check": (
        "test_a_check_in_trouble_says_which",
        connector(checks=(replace(acme.ACME.checks[0], run=blind_check),)),
        "as if all were well",
    ),
    "an own connection": (WORKS, changed(acme.CREATE, perform=own_connection), "was opened"),
    "no words": (WORKS, changed(acme.CREATE, perform=speechless), "summary is empty"),
    "no record": (WORKS, changed(acme.CREATE, perform=recordless), "returns none"),
    "another object": (WORKS, changed(acme.CREATE, perform=elsewhere), "'acme.other'"),
    "a key ignored": (TWICE, changed(acme.CREATE, perform=counting_note), "sent twice, it made"),
    "a find that finds nothing": (
        TWICE, changed(acme.ADD_NOTE, find=never_found), "does not find what was made"
    ),
    "a find that always finds": (
        TWICE, changed(acme.ADD_NOTE, find=found_too_soon), "what was never made"
    ),
    "a find that finds another": (TWICE, changed(acme.ADD_NOTE, find=other_found), "'n99'"),
    "a lie in writes": (
        "test_writes_tells_the_truth",
        changed(acme.SET_STATUS, writes=giving({"status": "gone"})),
        "`writes` says status = 'gone'",
    ),
    "a check that never passes": (
        "test_a_check_passes_on_the_simulator",
        connector(checks=(replace(acme.ACME.checks[0], run=failing_check),)),
        "never good",
    ),
    "a list that doubles": (
        "test_a_live_list_is_read_from_the_simulator",
        connector(choices=(hub.ChoiceSource(name="statuses", fetch=doubled),)),
        "listed twice",
    ),
    "a poller that forgets": (
        "test_a_poller_goes_on_from_its_cursor",
        connector(pollers=(hub.Poller(source_object="acme.ticket", fetch=forgetful),)),
        "comes again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault, folder):
    test, plugin, words = FAULTS[fault]

    with pytest.raises(AssertionError) as caught:
        run(test, subject(folder, plugin=plugin))

    assert words in str(caught.value)


def test_every_check_was_seen_to_fail():
    assert {test for test, _, _ in FAULTS.values()} | OF_FILES == set(TESTS)


def test_a_hook_without_its_marker_is_seen(folder):
    forgetful = planted()
    forgetful.hub_run_settled = giving(None)

    with pytest.raises(AssertionError, match="not marked with @hookimpl"):
        run(LOADS, subject(folder, plugin=forgetful))


def test_an_exemption_needs_a_reason_and_a_need(folder):
    made = subject(folder, unseen={"acme.ticket.size": "Never sent."})
    with pytest.raises(AssertionError, match="which is seen or not declared"):
        run("test_every_trigger_and_field_is_seen", made)


def test_secrets_are_found_in_lists_too(folder):
    class Several(acme.Settings):
        older: list[SecretStr] = Field(default=[], title="Older", description="Older secrets")

    made = subject(
        folder, plugin=connector(settings=Several), settings=SETTINGS | {"older": ["older-secret"]}
    )

    assert {"t0ken-value", "s3cret-value", "older-secret"} == made.secrets()
