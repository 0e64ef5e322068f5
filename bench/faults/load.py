"""The vendor's webhooks: signed, in order within each lane, again until they are answered 2xx."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiohttp

from hub.testing.rig import SECRET
from hub.testing.workload import SIGNATURE, sign

PATH = "/t/default/connectors/load/webhook"
_TIMEOUT_S = 6.0
_WAIT_S = 0.25


def event_of(lane: str, seq: int, **more: object) -> dict[str, Any]:
    """Return an event of a lane; lanes f… may only be done once, the others carry a key."""
    return {
        "kind": "created",
        "object": "load.case" if lane.startswith("f") else "load.item",
        "id": lane,
        "key": f"{lane}/{seq}",
        "values": {"lane": lane, "seq": seq},
    } | more


def delivery(*events: dict[str, Any], key: str = "") -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a delivery."""
    body = json.dumps({"events": events}).encode()
    named = key or events[0]["key"]
    headers = {
        SIGNATURE: sign(SECRET, body),
        "x-load-delivery": named,
        "content-type": "application/json",
    }
    return body, headers


class Load(threading.Thread):
    """Sends `count` events over `lanes` lanes to the hub's doors, each until it is accepted.

    A context manager: its block runs beside the sending, which has ended after it. `rate`: about
    so many events a second (0: as fast as the hub answers).
    """

    def __init__(  # noqa: PLR0913 - what a load is
        self,
        doors: Sequence[str],
        name: str,
        count: int,
        *,
        lanes: int = 40,
        rate: float = 0,
        patience_s: float = 120,
        make: Callable[[str, int], dict[str, Any]] = event_of,
    ) -> None:
        super().__init__(daemon=True)
        self._doors, self._count, self._make = list(doors), count, make
        self._lanes = [f"{'kf'[number % 2]}{name}-{number}" for number in range(lanes)]
        self._pause_s = lanes / rate if rate else 0.0
        self._deadline = time.monotonic() + patience_s
        self.accepted: list[tuple[str, int]] = []
        self.answers: Counter[int] = Counter()
        self.unmarked = 0
        self.slowest_s = 0.0
        self.given_up = 0
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin to send."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until everything is accepted."""
        self.join()
        if self._error is not None:
            raise self._error

    def run(self) -> None:
        """Send."""
        try:
            asyncio.run(self._send_all())
        except BaseException as error:  # noqa: BLE001 - raised where the block ends
            self._error = error

    async def _send_all(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
            await asyncio.gather(
                *(self._lane(http, number, lane) for number, lane in enumerate(self._lanes))
            )

    async def _lane(self, http: aiohttp.ClientSession, number: int, lane: str) -> None:
        lanes = len(self._lanes)
        for seq in range((self._count + lanes - 1 - number) // lanes):
            body, headers = delivery(self._make(lane, seq))
            if not await self._until_accepted(http, number + seq, body, headers):
                self.given_up += 1
                return
            self.accepted.append((lane, seq))
            if self._pause_s:
                await asyncio.sleep(self._pause_s)

    async def _until_accepted(
        self, http: aiohttp.ClientSession, turn: int, body: bytes, headers: dict[str, str]
    ) -> bool:
        while time.monotonic() < self._deadline:
            door = self._doors[turn % len(self._doors)]
            turn += 1
            began = time.monotonic()
            status = await self._post(http, door, body, headers)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.answers[status] += 1
            if 200 <= status < 300:
                return True
            await asyncio.sleep(_WAIT_S)
        return False

    async def _post(
        self, http: aiohttp.ClientSession, door: str, body: bytes, headers: dict[str, str]
    ) -> int:
        try:
            async with http.post(f"{door}{PATH}", data=body, headers=headers) as answer:
                await answer.read()
                if answer.status == 503 and "retry-after" not in answer.headers:
                    self.unmarked += 1
                return answer.status
        except TimeoutError:
            return -1
        except (aiohttp.ClientError, OSError):
            return 0
