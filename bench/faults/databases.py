"""Scenarios: the database is away or hangs, wake-ups are lost, the schema is another."""

import sqlite3
import threading
import time
from pathlib import Path

import httpx

from bench.faults.crashes import STOPS_S
from bench.faults.load import event_of
from bench.faults.processes import run
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, SQLITE, World, at_work

_REFUSED = {202, 503}
_LASTS_S = 6
_AWAY_S = 2.0
_HANGS_S = 6.0
"""Longer than the hub lets a vendor wait for its answer."""


def database_away_at_start(world: World, size: int) -> Verdict:
    """The server is down when the hub starts: 503 with Retry-After, then work by itself."""
    assert world.server is not None
    at_work(world)
    world.stop()
    world.server.stop()
    for one in world.processes:
        one.start(wait=False)
    for one in world.processes:
        one.said("Waiting for it")
    refused = world.post(event_of("kearly", 0))
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["retry-after"]) > 0
    assert httpx.get(f"{world.urls[0]}/healthz", trust_env=False).status_code == 200
    assert httpx.get(f"{world.urls[0]}/readyz", trust_env=False).status_code == 503
    with world.load(size):
        time.sleep(1)
        world.server.start()
    return world.verdict()


def database_away_in_flight(world: World, size: int) -> Verdict:
    """The server is away for seconds, then hangs for seconds, under load: refused, not lost."""
    assert world.server is not None
    at_work(world)
    with world.load(size, rate=size / _LASTS_S) as load:
        world.until(size // 5)
        world.server.stop()
        time.sleep(_AWAY_S)
        world.server.start()
        world.until(size // 2)
        world.server.pause()
        try:
            time.sleep(_HANGS_S)
        finally:
            world.server.go_on()
    found = world.verdict()
    assert load.answers[503] > 0, load.answers
    assert set(load.answers) <= _REFUSED, load.answers
    found.more |= {"refused": load.answers[503], "slowest_answer_s": load.slowest_s}
    return found


def stop_without_database(world: World, size: int) -> Verdict:
    """SIGTERM while the server is away, then while it hangs: each ends in time."""
    assert world.server is not None
    at_work(world)
    with world.load(size):
        pass
    slowest = 0.0
    for lose, find in (
        (world.server.stop, world.server.start),
        (world.server.pause, world.server.go_on),
    ):
        lose()
        try:
            slowest = max(slowest, _all_stopped(world))
        finally:
            find()
        at_work(world)
    found = world.verdict()
    found.more["stop_s"] = slowest
    return found


def _all_stopped(world: World) -> float:
    began = time.monotonic()
    for one in world.processes:
        one.terminate()
    for one in world.processes:
        assert one.wait(60) in {0, 1}, one.text()  # 1: the database hung, and it says so
    took = time.monotonic() - began
    assert took < STOPS_S, f"it took {took:.1f} s to stop"
    return took


def wakeups_lost(world: World, size: int) -> Verdict:
    """No notification arrives, as behind a pooler, and wake-ups are deleted again and again."""
    assert world.server is not None
    at_work(world)
    world.server.ask("ALTER TABLE hub_pgqueuer DISABLE TRIGGER ALL", database=world.database)
    over = threading.Event()
    loses = threading.Thread(target=_lose_wakeups, args=(world, over))
    loses.start()
    try:
        with world.load(size):
            pass
    finally:
        over.set()
        loses.join()
    return world.verdict()


def another_schema(world: World, size: int) -> Verdict:
    """A schema that is missing or newer than the code: refused, with what to run."""
    at_work(world, workers=1)
    world.stop()
    _set_version(world, "9999")
    for one in world.processes:
        one.start(wait=False)
    for one in world.processes:
        assert one.wait() == 1, one.text()
        assert "was written by a newer hub (its schema is 9999)" in one.text(), one.text()
        assert "Start that version of the hub" in one.text(), one.text()
    _set_version(world, "0001")
    if world.server is not None:
        empty = world.server.url(world.server.database(empty=True))
        told = run(["worker"], world.environment(world.folder / "e", HUB_DATABASE__URL=empty))
        assert told.returncode == 1, told.stdout
        assert "Run: hub migrate" in told.stderr, told.stderr
    at_work(world, workers=1)
    with world.load(min(size, 200)):
        pass
    return world.verdict()


def two_on_one_file(world: World, size: int) -> Verdict:
    """A second process on the same SQLite file is refused and harms nothing."""
    at_work(world)
    place = world.folder / "door0"
    with world.load(min(size, 500)):
        for command, said in (
            (["serve", "--data", str(place), "--port", "0"], "Another hub process (pid"),
            (["migrate", "--data", str(place)], "Another hub process (pid"),
            (["worker", "--data", str(place)], "hub worker needs PostgreSQL"),
        ):
            refused = run(command, world.environment(place))
            assert refused.returncode == 1, refused.stdout
            assert said in refused.stderr, refused.stderr
            assert len(refused.stderr.splitlines()) <= 2, refused.stderr
        api_only = world.environment(world.folder / "other", HUB_DISPATCH__WORKS="false")
        refused = run(["serve", "--port", "0"], api_only)
        assert "needs PostgreSQL" in refused.stderr, refused.stderr
    return world.verdict()


def _lose_wakeups(world: World, over: threading.Event) -> None:
    assert world.server is not None
    while not over.wait(0.3):
        world.server.ask(
            "DELETE FROM hub_pgqueuer WHERE status = 'queued'", database=world.database
        )


def _set_version(world: World, number: str) -> None:
    sql = f"UPDATE alembic_version SET version_num = '{number}'"
    if world.server is not None:
        world.server.ask(sql, database=world.database)
        return
    connection = sqlite3.connect(Path(world.folder) / "door0" / "hub.db")
    connection.execute(sql)
    connection.commit()
    connection.close()


BOTH = {"another_schema": another_schema}
ONLY = {
    SQLITE: {"two_on_one_file": two_on_one_file},
    POSTGRES: {
        "database_away_at_start": database_away_at_start,
        "database_away_in_flight": database_away_in_flight,
        "stop_without_database": stop_without_database,
        "wakeups_lost": wakeups_lost,
    },
}
