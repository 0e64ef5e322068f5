"""What the commands share that run the hub in this process."""

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hub.cli.failure import Failed

if TYPE_CHECKING:
    from hub.settings import HubSettings


def settings_of(
    *, data: str = "", host: str = "", port: int | None = None, public_url: str = ""
) -> "HubSettings":
    """Read the settings; what was given on the command line goes first."""
    from hub.settings import load_settings  # noqa: PLC0415 - so that --help is quick

    http: dict[str, object] = {}
    if host:
        http["host"] = host
    if port is not None:
        http["port"] = port
    if public_url:
        http["public_url"] = public_url
    overrides: dict[str, object] = {"http": http} if http else {}
    if data:
        overrides["data_dir"] = data
    return load_settings(**overrides)


_SWEEPS: Final = (5_000, 20, 20)


@contextlib.contextmanager
def unswept() -> Iterator[None]:
    """Look for garbage afterwards, not while all that stays is being made: a sixth of a start.

    What was made inside is never looked at again, or each full sweep would stop the process for
    a tenth of a second. Later sweeps are seldom, see `sweep_seldom`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sweep_seldom()


def sweep_seldom() -> None:
    """Leave what there is by now out of the sweeps for garbage; look at new things later.

    A batch of deliveries is thousands of objects that live until its COMMIT: looked at after
    each 700, as Python does, they are looked at in vain, which costs a twentieth of accepting.
    """
    gc.freeze()
    gc.set_threshold(*_SWEEPS)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn a refused start into one line of cause that says what to do."""
    from hub.db.damage import refusing_damage  # noqa: PLC0415 - so that --help is quick
    from hub.errors import StartRefused  # noqa: PLC0415 - so that --help is quick

    try:
        with refusing_damage():
            yield
    except StartRefused as refused:
        raise Failed(str(refused)) from refused
