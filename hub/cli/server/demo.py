"""`hub demo`: the hub and the sandbox, and a story that is seen at the stand-ins."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.failure import Failed


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo", epilog="Example: hub demo --oneshot")(demo)


def demo(
    *,
    oneshot: Annotated[
        bool, typer.Option("--oneshot", help="End by itself; exit status 0 if all was seen.")
    ] = False,
    folder: Annotated[
        str, typer.Option(help="Folder for data and logs; a new temporary one by default.")
    ] = "",
    kill_at: Annotated[
        int, typer.Option(help="Kill the hub (as kill -9) after the deed of this step; 0 = never.")
    ] = 0,
) -> None:
    """Tell the main job from end to end, on the vendors' stand-ins.

    Starts `hub serve` and `hub sandbox` as processes of their own with fresh data, makes a
    tenant through the API, and observes every step at the stand-ins.
    """
    from hub.settings import bare_environment  # noqa: PLC0415 - so that --help is quick

    place = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="hub-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    if oneshot:
        typer.echo(f"Data and logs: {place}{'' if folder else ', removed if all is seen'}")
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(_tell(place, bare_environment(), oneshot=oneshot, kill_at=kill_at or None))
        if oneshot and not folder:
            shutil.rmtree(place)
        return
    if oneshot:
        raise Failed(
            f"The demo was stopped before its end; {place} has its data and logs.",
            "Start it again: hub demo --oneshot",
        )


async def _tell(
    place: Path, environment: dict[str, str], *, oneshot: bool, kill_at: int | None
) -> None:
    import httpx  # noqa: PLC0415 - so that --help is quick

    from hub.sandbox.demo import tell, tell_once, where_to_look  # noqa: PLC0415 - lazy
    from hub.sandbox.hub_api import HubRefused  # noqa: PLC0415 - lazy
    from hub.sandbox.processes import ProcessFailed  # noqa: PLC0415 - lazy
    from hub.sandbox.setting_up import SetUpFailed  # noqa: PLC0415 - lazy
    from hub.sandbox.story import StepFailed  # noqa: PLC0415 - lazy

    run = tell_once if oneshot else tell
    _cancel_when_asked()
    try:
        await run(place, environment, typer.echo, kill_at=kill_at)
    except StepFailed as failed:
        cause, look = where_to_look(place, failed)
        raise Failed(cause, look) from failed
    except (ProcessFailed, SetUpFailed, HubRefused, httpx.HTTPError) as failed:
        raise Failed(str(failed) or repr(failed), f"Look at {place / 'hub.log'}.") from failed


def _cancel_when_asked() -> None:
    """Let signals cancel the task, so that the processes of the demo are stopped too."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - called within one
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
