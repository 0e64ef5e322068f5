"""Alembic's entrance: runs the versions on the connection it is handed.

Only `revision --autogenerate` needs the models: it hands them over as the attribute "metadata".
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, BigInteger, Connection

from hub.db.base import Timestamp


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - Alembic's signature
    """Write the hub's own column types by name, so that versions stay short."""
    if kind != "type":
        return False
    if isinstance(item, Timestamp):
        return "Timestamp()"
    if isinstance(item, JSON):
        return "Json"
    variants = item._variant_mapping if isinstance(item, BigInteger) else ()  # noqa: SLF001 - no public way
    return "BigId" if "sqlite" in variants else False


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata"),
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
        user_module_prefix="",
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
