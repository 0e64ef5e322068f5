"""`hub demo`: the hub and the sandbox, and a story that is seen at the stand-ins."""

import typer


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo", epilog="Example: hub demo --oneshot")(demo)


def demo() -> None:
    """Tell the main job from end to end, on the vendors' stand-ins."""
