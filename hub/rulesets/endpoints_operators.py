"""Operators of plugins that are off for the whole hub, for whoever operates it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from hub.http.actor import Operator
from hub.http.deps import ReadSession, TheCatalog, WriteSession
from hub.http.paging import Page
from hub.rulesets import operators_off

router = APIRouter(prefix="/api/v1", tags=["hub"])
Name = Annotated[str, Path(description="The operator's whole name.", max_length=120)]


class OperatorOffOut(BaseModel):
    """An operator that was switched off since it kept failing."""

    operator: str
    plugin: str
    version: str
    since: datetime
    failures: int
    error: str
    reason: str


@router.get("/operators-off", operation_id="list_operators_off")
async def list_operators_off(
    _: Operator, session: ReadSession, catalog: TheCatalog
) -> Page[OperatorOffOut]:
    """List the operators of plugins that are off since they kept failing."""
    found = await operators_off.listed(session, catalog)
    return Page[OperatorOffOut](
        items=[OperatorOffOut(reason=one.reason, **one.model_dump()) for one in found]
    )


@router.post(
    "/operators-off/{operator}/switch-on", operation_id="switch_operator_on", status_code=204
)
async def switch_operator_on(actor: Operator, session: WriteSession, operator: Name) -> None:
    """Switch an operator on again: rules that use it are valid again within seconds."""
    await operators_off.switch_on(session, actor, operator)
