"""Rows that come within a moment of each other, made in one request while requests run out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import hub
from hub_salesforce.ids import SfId

Row = Mapping[str, Any]
MOST: Final = 200
"""Rows that Salesforce takes in one request."""
WAIT_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    api_name: str
    row: Row
    made: "asyncio.Future[SfId]"


@dataclass(slots=True, kw_only=True)
class Together:
    """Joins rows of several runs: the first one waits for others and sends for all.

    `send` makes rows and says of each its id, or what was wrong with it alone.
    """

    send: Callable[[Sequence[tuple[str, Row]]], Awaitable[Sequence[SfId | hub.ConnectorError]]]
    wait_s: float = WAIT_S
    _waiting: list[_Wanted] = field(default_factory=list)

    async def create(self, api_name: str, row: Row) -> SfId:
        """Make a row together with those that come meanwhile; return its id."""
        made: asyncio.Future[SfId] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Wanted(api_name=api_name, row=row, made=made))
        if len(self._waiting) == 1:
            await self._lead()
        return await made

    async def _lead(self) -> None:
        try:
            await asyncio.sleep(self.wait_s)
        except BaseException:
            _, *others = self._taken()
            _fail(others, hub.Unavailable("it was not sent together with others"))
            raise
        first, *others = self._taken()
        rows = [first, *others]
        try:
            for at in range(0, len(rows), MOST):
                await self._send(rows[at : at + MOST])
        except BaseException as error:
            _fail(others, hub.OutcomeUnknown(f"a request for several rows broke off: {error}"))
            raise

    async def _send(self, rows: Sequence[_Wanted]) -> None:
        found = await self.send([(one.api_name, one.row) for one in rows])
        for one, outcome in zip(rows, found, strict=True):
            if isinstance(outcome, hub.ConnectorError):
                _fail([one], outcome)
            elif not one.made.done():
                one.made.set_result(outcome)

    def _taken(self) -> list[_Wanted]:
        taken, self._waiting = self._waiting, []
        return taken


def _fail(rows: Sequence[_Wanted], error: hub.ConnectorError) -> None:
    for one in rows:
        if not one.made.done():
            one.made.set_exception(error)
