"""Trying rules: vocabulary, dry runs, why not, what if, and the breakers that keep rules off."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse

from hub.http.actor import Actor, OperationsAct, RulesEdit, RulesRead
from hub.http.paging import Page, PageQuery
from hub.rulesets import breakers, trying, whatif, whynot
from hub.rulesets.dependencies import STORABLE, Reading, Writing
from hub.rulesets.schemas_trial import (
    BreakerOut,
    Explained,
    ExplainIn,
    WhatIfIn,
    WhatIfOut,
    WhyNot,
    WhyNotIn,
)
from hub.rulesets.trying import ServiceTable
from hub.rulesets.vocabulary import editor_schema, rule_vocabulary
from hub.rulesets.whatif import Whatifs

router = APIRouter(tags=["rules"])
_HOME = "/api/v1/tenants/{tenant}"
NDJSON = "application/x-ndjson"
SourceObject = Annotated[str | None, Query(alias="object", max_length=200)]


def the_services(request: Request) -> ServiceTable | None:
    """Return service mapping, where the process has one."""
    found: ServiceTable | None = getattr(request.app.state, "resolver", None)
    return found


def the_whatifs(request: Request) -> Whatifs:
    """Return the process's workers of what-if questions."""
    state = request.app.state
    if getattr(state, "whatifs", None) is None:
        state.whatifs = Whatifs(state.database, state.catalog)
    found: Whatifs = state.whatifs
    return found


TheServices = Annotated[ServiceTable | None, Depends(the_services)]
TheWhatifs = Annotated[Whatifs, Depends(the_whatifs)]


@router.get(f"{_HOME}/rule-vocabulary", operation_id="get_rule_vocabulary")
async def get_rule_vocabulary(
    actor: RulesRead, reading: Reading, source_object: SourceObject = None
) -> dict[str, Any]:
    """Tell an editor all that rules may name: fields, operators, triggers, actions, filters."""
    work = reading(actor)
    return rule_vocabulary(await work.schema(), work.catalog, source_object)


@router.get(f"{_HOME}/rule-schema", operation_id="get_rule_schema")
async def get_rule_schema(
    actor: RulesRead, reading: Reading, source_object: SourceObject = None
) -> dict[str, Any]:
    """Give the JSON schema of a rule, and the vocabulary beside it."""
    work = reading(actor)
    return editor_schema(await work.schema(), work.catalog, source_object)


@router.post(f"{_HOME}/rules:explain", operation_id="explain_rules")
async def explain_rules(
    actor: RulesRead, reading: Reading, services: TheServices, asked: ExplainIn
) -> Explained:
    """Dry run: which rules would fire on an event, why or why not, and what they would do.

    The event is a stored one, all of a stored delivery, one pasted as the vendor sends it, or
    hand-made. Nothing is sent.
    """
    return await trying.explained(reading(actor), asked, services)


@router.get(f"{_HOME}/events/{{event}}/explain", operation_id="explain_event")
async def explain_event(
    actor: RulesRead,
    reading: Reading,
    services: TheServices,
    event: Annotated[str, Path(max_length=40)],
) -> list[dict[str, Any]]:
    """Explain a stored event with the rules as they are now: a trace for each rule."""
    found = await trying.explained(reading(actor), ExplainIn(event=event), services)
    return found.traces


@router.post(f"{_HOME}/rules:why-not", operation_id="why_not")
async def why_not(actor: RulesRead, reading: Reading, asked: WhyNotIn) -> WhyNot:
    """Say step by step why a rule did not act on a record, or on an event."""
    return await whynot.why_not(reading(actor), asked)


@router.post(f"{_HOME}/whatif", operation_id="ask_whatif", status_code=202)
async def ask_whatif(
    actor: RulesEdit, writing: Writing, whatifs: TheWhatifs, asked: WhatIfIn
) -> WhatIfOut:
    """Ask what a draft or version would have done with past events; worked in the background."""
    work = writing(actor)
    made = await whatif.ask(work, asked)
    whatifs.start(work.tenant, made.id)
    return WhatIfOut(**whatif.report_of(made))


@router.get(f"{_HOME}/whatif", operation_id="list_whatifs")
async def list_whatifs(actor: RulesRead, reading: Reading, page: PageQuery) -> Page[WhatIfOut]:
    """List the questions, the newest first."""
    rows = await reading(actor).whatifs.page(after=page.cursor, limit=page.limit, newest=True)
    shown = [WhatIfOut(**whatif.report_of(one)) for one in rows.items]
    return Page[WhatIfOut](items=shown, next=rows.next)


@router.get(
    f"{_HOME}/whatif/{{whatif}}",
    operation_id="get_whatif",
    response_model=WhatIfOut,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def get_whatif(
    actor: RulesRead,
    reading: Reading,
    whatifs: TheWhatifs,
    key: Annotated[uuid.UUID, Path(alias="whatif")],
    accept: Annotated[str, Header()] = "",
) -> Any:  # noqa: ANN401 - a state, or its lines as they come
    """Show how far it has come; with `Accept: application/x-ndjson` a line at each change."""
    found = await reading(actor).whatifs.get(key)
    if NDJSON in accept:
        return StreamingResponse(_told(whatifs, actor, key), media_type=NDJSON)
    return WhatIfOut(**whatif.report_of(found))


async def _told(whatifs: Whatifs, actor: Actor, key: uuid.UUID) -> AsyncIterator[bytes]:
    async for one in whatifs.told(actor.home, key):
        shown = WhatIfOut(**whatif.report_of(one)).model_dump(mode="json")
        yield json.dumps(shown, ensure_ascii=False).encode() + b"\n"


@router.delete(f"{_HOME}/whatif/{{whatif}}", operation_id="cancel_whatif", status_code=204)
async def cancel_whatif(
    actor: RulesEdit, writing: Writing, key: Annotated[uuid.UUID, Path(alias="whatif")]
) -> None:
    """Cancel a question; one that has ended is forgotten."""
    work = writing(actor)
    await whatif.cancel(work, await work.whatifs.get(key))


@router.get(f"{_HOME}/rule-breakers", operation_id="list_rule_breakers")
async def list_rule_breakers(actor: RulesRead, reading: Reading) -> Page[BreakerOut]:
    """List rules that are off for a record, since they fired too often on it."""
    return Page[BreakerOut](items=await breakers.listed(reading(actor)))


@router.delete(
    f"{_HOME}/rule-breakers/{{rule}}", operation_id="reset_rule_breakers", status_code=204
)
async def reset_rule_breakers(
    actor: OperationsAct,
    writing: Writing,
    rule: Annotated[
        str, Path(max_length=200, pattern=STORABLE, description="A rule's id, or its name.")
    ],
    record: Annotated[
        str | None, Query(max_length=255, pattern=STORABLE, description="None: all records.")
    ] = None,
) -> None:
    """Let a rule act again on a record, or on all of them."""
    await breakers.reset(writing(actor), rule, record)
