"""Installing the plugin `load` for processes, as a distribution of its own; or one with a bug."""

from pathlib import Path
from textwrap import dedent

_GOOD = """
    from hub.testing.workload import LoadPlugin

    PLUGIN = LoadPlugin()
    """
_RAISES = """
    from dataclasses import replace

    from hub import hookimpl
    from hub.testing.workload import LOAD, LoadPlugin


    def parse(request):
        if b'"key": "unread' in request.body:
            raise KeyError("a bug in parse")
        return LOAD.receiver.parse(request)


    class Broken(LoadPlugin):
        @hookimpl
        def hub_register_connector_types(self):
            return [replace(LOAD, receiver=replace(LOAD.receiver, parse=parse))]


    PLUGIN = Broken()
    """
_CLOCK = """
    import hub.clock
    from datetime import timedelta
    from pathlib import Path

    FILE = Path(__file__).with_name("clock")
    real = hub.clock.now


    def now():
        return real() + timedelta(seconds=float(FILE.read_text()))


    hub.clock.now = now
    """


def install(folder: Path, *, parse_raises: bool = False) -> Path:
    """Make a folder for PYTHONPATH in which the plugin is installed."""
    module = "hub_load_for_faults"
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    folder.joinpath(f"{module}.py").write_text(dedent(_RAISES if parse_raises else _GOOD))
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text(f"[hub]\nload = {module}:PLUGIN\n")
    return folder


def with_clock(folder: Path) -> Path:
    """Let processes with this folder on PYTHONPATH read the present time through a file."""
    folder.joinpath("sitecustomize.py").write_text(dedent(_CLOCK))
    move_clock(folder, 0)
    return folder


def move_clock(folder: Path, seconds: float) -> None:
    """Move the clock of those processes, at once."""
    part = folder / "clock.part"
    part.write_text(str(seconds))
    part.replace(folder / "clock")
