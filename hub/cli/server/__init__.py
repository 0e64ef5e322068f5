"""Commands that run the hub, or parts of it, in this process.

What they need of the hub is imported inside their functions, so that `hub --help` is quick.
"""

import typer

from hub.cli.server import db, demo, docs, migrate, openapi, sandbox, serve, worker


def attach(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for module in (serve, worker, sandbox, demo, migrate, db, openapi, docs):
        module.attach(app)
